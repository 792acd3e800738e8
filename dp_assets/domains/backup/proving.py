"""Whether a restored copy is what a recovery point recorded; every difference in words.

Nothing is called proven that was not read. What is compared without reading (files by hash, how
they are put together, metadata) covers every snapshot; what engines read may be a sample, and is
called one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.domains.backup.differences import ComparedTable
from dp_assets.domains.backup.reading import (
    EVERYTHING,
    SAMPLE,
    SnapshotRead,
    reading_differences,
)
from dp_assets.ports.reading import Engine, Reading
from dp_assets.ports.recovery import TableContent


class Verdict(StrEnum):
    """What a drill says of one table."""

    PROVEN = "proven"
    ONE_ENGINE = "proven by one engine"
    NOT_READ = "restored, not proven by reading"
    DIFFERS = "not as recorded"
    OTHER_SOURCE = "differs from the source"
    NOT_RESTORED = "not restored"
    UNPROVEN = "restored, but the proof failed"

    @property
    def is_as_recorded(self) -> bool:
        """Whether everything that could be compared was equal."""
        return self in (Verdict.PROVEN, Verdict.ONE_ENGINE, Verdict.NOT_READ)


class AgainstSource(StrEnum):
    """What became of comparing a copy with the table it was saved from, which may be gone."""

    EQUAL = "equal to the source"
    DIFFERS = "differs from the source"
    GONE = "source gone: not compared"
    UNREADABLE = "source cannot be read: not compared"
    NOT_COMPARED = "not compared with the source"


@dataclass(frozen=True, slots=True)
class TableProof:
    """The outcome for one table.

    Attributes:
        rows_point: of the head, as recorded; None when nobody had counted.
        rows_restored: of the head, as read; None when no engine could.
        content: sum of the row hashes of the head, and the function that made it.
        engines: what each engine read, in words.
        coverage: what was read, in words; a sample is called one.
        source: whether the snapshots that are still at their old place read the same there.
        source_snapshots: how many snapshots were equal to the source's.
    """

    table: str
    verdict: Verdict
    differences: tuple[str, ...] = ()
    rows_point: int | None = None
    rows_restored: int | None = None
    snapshots_point: int = 0
    snapshots_restored: int = 0
    snapshots_read: int = 0
    files_point: int = 0
    files_restored: int = 0
    bytes: int = 0
    content: str = ""
    engines: tuple[str, ...] = ()
    coverage: str = ""
    source: AgainstSource = AgainstSource.NOT_COMPARED
    source_snapshots: int = 0

    @property
    def said(self) -> str:
        """The verdict, and what differs."""
        return "; ".join((self.verdict.value, *self.differences))


def not_restored(table: str, why: str, *, files: int = 0, snapshots: int = 0) -> TableProof:
    """A table that did not come back at all."""
    return TableProof(
        table,
        Verdict.NOT_RESTORED,
        (why,),
        files_point=files,
        snapshots_point=snapshots,
        coverage="nothing",
    )


def unproven(table: str, why: str, found: Iterable[str] = ()) -> TableProof:
    """A table that came back, and whoever was to look at it failed after finding ``found``."""
    return TableProof(table, Verdict.UNPROVEN, (*found, why), coverage="nothing")


def prove_table(compared: ComparedTable, *, reads: Sequence[SnapshotRead]) -> TableProof:
    """The verdict on one table, by what was compared and by what engines read."""
    content = compared.content
    facts = {fact.snapshot_id: fact for fact in content.snapshots}
    found = (
        *compared.differences,
        *(
            said
            for read in reads
            for said in reading_differences(read, facts.get(read.planned.snapshot_id or 0))
        ),
    )
    head = _head_reading(content, reads)
    recorded = facts.get(content.head) if content.head is not None else None
    return TableProof(
        table=content.table,
        verdict=Verdict.DIFFERS if found else _verdict(reads),
        differences=found,
        rows_point=recorded.rows if recorded else 0 if content.head is None else None,
        rows_restored=head.rows if head else None,
        snapshots_point=len(content.snapshots),
        snapshots_restored=len(compared.closure.snapshots),
        snapshots_read=_snapshots_read(reads),
        files_point=len(content.files),
        files_restored=len(compared.closure.files) - compared.bad_files,
        bytes=sum(stored.ref.size for stored in content.files),
        content=head.content if head else "",
        engines=tuple(_engines(reads)),
        coverage=_coverage(content, reads),
    )


def _verdict(reads: Sequence[SnapshotRead]) -> Verdict:
    """By the snapshot that fewest engines have read."""
    fewest = min((sum(r.is_read for r in read.readings) for read in reads), default=0)
    if fewest == 0:
        return Verdict.NOT_READ
    return Verdict.PROVEN if fewest == len(Engine) else Verdict.ONE_ENGINE


def _head_reading(content: TableContent, reads: Sequence[SnapshotRead]) -> Reading | None:
    return next(
        (
            reading
            for read in reads
            if read.planned.snapshot_id == content.head
            for reading in read.readings
            if reading.is_read
        ),
        None,
    )


def _engines(reads: Sequence[SnapshotRead]) -> Iterator[str]:
    for engine in Engine:
        of_engine = [r for read in reads for r in read.readings if r.engine is engine]
        done = sum(reading.is_read for reading in of_engine)
        refused = next((f" ({r.refused})" for r in of_engine if r.refused), "")
        yield f"{engine} {done} of {len(reads)}{refused}"


def _coverage(content: TableContent, reads: Sequence[SnapshotRead]) -> str:
    done = _snapshots_read(reads)
    if not content.snapshots:
        return "it has no snapshot"
    if done == len(content.snapshots):
        return f"{EVERYTHING}: {done} of {len(content.snapshots)} snapshots read"
    if not done:
        return f"nothing: 0 of {len(content.snapshots)} snapshots read"
    return f"a {SAMPLE}: {done} of {len(content.snapshots)} snapshots read"


def _snapshots_read(reads: Sequence[SnapshotRead]) -> int:
    return sum(
        any(r.is_read for r in read.readings)
        for read in reads
        if read.planned.snapshot_id is not None
    )
