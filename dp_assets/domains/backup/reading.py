"""Which snapshots of a restored table engines read, and what two readings of one say.

A restore can break how files are put together, and each engine notices other breakages. So two
engines read the same snapshot, and one function makes both readings comparable.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dp_assets.ports.reading import Engine, Reading
from dp_assets.ports.recovery import FileKind, SnapshotFacts, TableContent

# How many snapshots are read beside those that must be; a guess: five a week are 260 a year.
SAMPLE_SNAPSHOTS = 5
EVERYTHING, SAMPLE = "everything", "sample"


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """A snapshot that engines are to read; None is the head of a table without snapshots."""

    snapshot_id: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnapshotRead:
    """A snapshot and what became of reading it."""

    planned: PlannedRead
    readings: tuple[Reading, ...]


def plan_reading(
    content: TableContent,
    specs: Mapping[int, frozenset[int]],
    *,
    everything: bool,
    seed: str,
) -> tuple[PlannedRead, ...]:
    """The snapshots to read, in the order of history, each with its reasons.

    Args:
        content: what the point holds of the table.
        specs: snapshot -> partition specs that its manifests use.
        everything: all of them; else the head, every ref, every schema or spec change and a
            sample of the rest.
        seed: another seed is another sample.
    """
    if not content.snapshots:
        return (PlannedRead(None, ("head",)),)
    reasons: dict[int, list[str]] = {s.snapshot_id: [] for s in content.snapshots}
    for snapshot_id, why in _required(content, specs):
        # A ref or a head that names no snapshot is a difference, found elsewhere.
        reasons.get(snapshot_id, []).append(why)
    rest = sorted((s for s, why in reasons.items() if not why), key=lambda s: _draw(seed, s))
    for snapshot_id in rest if everything else rest[:SAMPLE_SNAPSHOTS]:
        reasons[snapshot_id].append(EVERYTHING if everything else SAMPLE)
    return tuple(PlannedRead(s, tuple(why)) for s, why in reasons.items() if why)


def _required(
    content: TableContent, specs: Mapping[int, frozenset[int]]
) -> Iterator[tuple[int, str]]:
    if content.head is not None:
        yield content.head, "head"
    for name, ref in content.refs.items():
        yield ref["snapshot-id"], f"{ref.get('type', 'branch')} {name}"
    by_id = {s.snapshot_id: s for s in content.snapshots}
    for snapshot in content.snapshots:
        parent = by_id.get(snapshot.parent_id) if snapshot.parent_id is not None else None
        if parent is None or parent.schema_id != snapshot.schema_id:
            yield snapshot.snapshot_id, f"schema {snapshot.schema_id}"
        now = specs.get(snapshot.snapshot_id, frozenset())
        new = now - specs.get(parent.snapshot_id, frozenset()) if parent else now
        if new:
            yield snapshot.snapshot_id, f"partition spec {', '.join(map(str, sorted(new)))}"


def _draw(seed: str, snapshot_id: int) -> bytes:
    return hashlib.sha256(f"{seed}:{snapshot_id}".encode()).digest()


def refusals(content: TableContent, engine: Engine) -> str:
    """What in the table ``engine`` is known not to read; "" when it reads everything.

    Source: PyIceberg 0.12 and DuckDB 1.5.5 on tables written by Spark.
    """
    kinds = {stored.file.kind for stored in content.files}
    rows = {s.file.format for s in content.files if s.file.kind is FileKind.DATA}
    deletes = {s.file.format for s in content.files if s.file.kind is FileKind.POSITION_DELETES}
    found: list[str] = []
    if engine is Engine.PYICEBERG:
        if FileKind.EQUALITY_DELETES in kinds:
            found.append("equality deletes")
        found += [f"{name} data" for name in sorted(rows & {"AVRO"})]
        found += [f"{name} deletes" for name in sorted(deletes & {"AVRO"})]
    else:
        found += [f"{name} data" for name in sorted(rows & {"AVRO", "ORC"})]
        found += [f"{name} deletes" for name in sorted(deletes & {"AVRO", "ORC"})]
    return ", ".join(found)


def reading_differences(read: SnapshotRead, recorded: SnapshotFacts | None) -> tuple[str, ...]:
    """What is not as it must be, in words; empty when all readings agree."""
    about = f"snapshot {read.planned.snapshot_id}" if read.planned.snapshot_id else "the table"
    done = [reading for reading in read.readings if reading.is_read]
    return (
        *(f"{r.engine} cannot read {about}: {r.failed}" for r in read.readings if r.failed),
        *_rows_differ(about, done, recorded),
        *_content_differs(about, done),
    )


def _rows_differ(
    about: str, done: Sequence[Reading], recorded: SnapshotFacts | None
) -> Iterator[str]:
    if recorded is None or recorded.rows is None:
        return
    for reading in done:
        if reading.rows != recorded.rows:
            yield (
                f"{about}: {reading.engine} reads {reading.rows} rows, {recorded.rows} were "
                f"recorded by {recorded.rows_by}"
            )


def _content_differs(about: str, done: Sequence[Reading]) -> Iterator[str]:
    if not done:
        return
    first = done[0]
    for other in done[1:]:
        if first.rows != other.rows:
            yield (f"{about}: {first.engine} reads {first.rows} rows, {other.engine} {other.rows}")
        elif first.nulls != other.nulls:
            columns = [n for n in first.nulls if first.nulls[n] != other.nulls.get(n)]
            yield (
                f"{about}: {first.engine} and {other.engine} see different numbers of nulls in "
                f"{', '.join(columns)}"
            )
        elif first.content != other.content:
            yield f"{about}: {first.engine} and {other.engine} read {first.rows} different rows"
