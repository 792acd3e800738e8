"""A restored copy compared with the table it was saved from, where that is still there.

What a point recorded and what came back can be wrong alike; only the source knows. It is never
required: a drill is about the day when it is gone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dp_assets.domains.backup.proving import AgainstSource, TableProof, Verdict
from dp_assets.domains.backup.reading import SnapshotRead
from dp_assets.ports.reading import Engine, Reading

OTHER_FUNCTION = "its rows were hashed by another function"


@dataclass(frozen=True, slots=True)
class CopyRead:
    """A snapshot of the copy as it was read: what the source must show too."""

    snapshot_id: int | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class SourceRead:
    """A snapshot of the source: read, or there and unreadable, or else gone."""

    snapshot_id: int | None
    reading: Reading | None = None
    problem: str = ""


def reads_to_compare(
    head: int | None, reads: Sequence[SnapshotRead], *, everything: bool
) -> tuple[CopyRead, ...]:
    """The head, or everything that was read; DuckDB's readings where there are any."""
    found: list[CopyRead] = []
    for read in reads:
        by = {reading.engine: reading for reading in read.readings if reading.is_read}
        reading = by.get(Engine.DUCKDB) or by.get(Engine.PYICEBERG)
        if reading and (everything or read.planned.snapshot_id == head):
            found.append(CopyRead(read.planned.snapshot_id, reading))
    return tuple(found)


def against_source(
    proof: TableProof, copies: Sequence[CopyRead], sources: Sequence[SourceRead]
) -> tuple[TableProof, str]:
    """``proof`` with what the source says, and why some of it could not be read; "" if none.

    Args:
        proof: of a copy that is as recorded.
        copies: what was read of the copy.
        sources: the same snapshots where they were saved from.
    """
    at_source = {source.snapshot_id: source for source in sources}
    differences: list[str] = []
    problem, equal = "", 0
    for copy in copies:
        source = at_source.get(copy.snapshot_id) or SourceRead(copy.snapshot_id)
        if source.reading is None or _function(source.reading) != _function(copy.reading):
            problem = problem or (OTHER_FUNCTION if source.reading else source.problem)
        elif found := tuple(_differs(copy, source.reading)):
            differences += found
        else:
            equal += 1
    if differences:
        return _other(proof, differences, equal=equal), problem
    said = AgainstSource.UNREADABLE if problem else AgainstSource.GONE
    said = AgainstSource.EQUAL if equal else said
    return replace(proof, source=said, source_snapshots=equal), problem


def _other(proof: TableProof, differences: Sequence[str], *, equal: int) -> TableProof:
    return replace(
        proof,
        verdict=Verdict.OTHER_SOURCE,
        differences=(*proof.differences, *differences),
        source=AgainstSource.DIFFERS,
        source_snapshots=equal,
    )


def _function(reading: Reading) -> str:
    return reading.content.rpartition(":")[0]


def _differs(copy: CopyRead, source: Reading) -> Iterator[str]:
    about = f"snapshot {copy.snapshot_id}" if copy.snapshot_id else "the table"
    here = copy.reading
    if here.rows != source.rows:
        yield f"{about}: {here.rows} rows, the source has {source.rows}"
    elif here.nulls != source.nulls:
        columns = sorted(n for n in here.nulls if here.nulls[n] != source.nulls.get(n))
        yield f"{about}: not the source's numbers of nulls in {', '.join(columns)}"
    elif here.content != source.content:
        yield f"{about}: its {here.rows} rows are not those of the source"
