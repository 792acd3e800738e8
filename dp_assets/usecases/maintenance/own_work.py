"""What one operation did to a table, found in the table itself and not in what was said of it.

Each commit is a pair of metadata files, the one that it was made from and its own: others may have
committed before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import head_id
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_metadata import parse_metadata
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.replace_summary import OPERATION, RUN_ID
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.trash import open_trash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dp_assets.adapters.iceberg_json import Json
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Attempt
    from dp_assets.ports.maintenance_trash import TrashRecord

COMMITTING = frozenset({Operation.EXPIRY, Operation.MANIFESTS, Operation.COMPACTION})
IDLE = frozenset({Outcome.NOTHING, Outcome.REFUSED})
AGAIN = "'dp fsck' reads the whole table; the next run of the operation is checked again"


@dataclass(frozen=True, slots=True)
class State:
    """A table as one of its metadata files has it."""

    pointer: str
    metadata: Json

    @property
    def head(self) -> int | None:
        return head_id(self.metadata)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit; ``own`` is its snapshot, None where it made none."""

    before: State
    after: State
    own: int | None


@dataclass(frozen=True)
class OwnWork:
    """One operation on one table that ended.

    Attributes:
        attempt: its row in the journal.
        now: the table as it is.
        steps: its commits, oldest first; none when there was nothing to do.
        record: what it put into the trash, None when nothing.
    """

    lake: Lakehouse
    table: TableId
    attempt: Attempt
    now: State
    steps: tuple[Step, ...]
    record: TrashRecord | None


def own_snapshots(metadata: Json, operation: Operation, run_id: str) -> tuple[int, ...]:
    """The snapshots that a run of an operation made, in the order of the metadata."""
    return tuple(
        snapshot["snapshot-id"]
        for snapshot in metadata.get("snapshots") or ()
        if (said := snapshot.get("summary") or {}).get(RUN_ID) == run_id
        and said.get(OPERATION) == str(operation)
    )


def find_work(
    lake: Lakehouse, table: TableId, operation: Operation, *, run_id: str, now_ms: int
) -> OwnWork:
    """What the run did to the table.

    Raises:
        PermanentError: there is no such table, or journal and table do not tell any more.
        TransientError: the store or the catalog did not answer.
    """
    attempts = [
        one
        for one in read_journal(lake, now_ms=now_ms).of(table)
        if (one.operation, one.run_id) == (operation, run_id)
    ]
    what = f"{operation} of {table} by run {run_id}"
    if not attempts:
        raise PermanentError(f"the journal has no row of {what}", hint=AGAIN)
    return _Finding(lake, table, attempts[-1], what).work()


class _Finding:
    """Looks for what one attempt did; ``what`` names it in errors."""

    def __init__(self, lake: Lakehouse, table: TableId, attempt: Attempt, what: str) -> None:
        self._lake, self._table, self._attempt, self._what = lake, table, attempt, what
        self._chain = _Chain(existing_pointer(lake.catalog, table), self._state)

    def work(self) -> OwnWork:
        """Raises as `find_work`."""
        attempt, now = self._attempt, next(self._chain.states())
        if now.metadata.get("table-uuid", "") != attempt.uuid:
            raise self._problem(f"{self._table} was dropped and made again")
        record = self._record()
        if attempt.operation is Operation.EXPIRY:
            steps = (self._step_from(record.pointer),) if record else ()
        else:
            own = own_snapshots(now.metadata, attempt.operation, attempt.run_id)
            steps = tuple(self._step_of(snapshot) for snapshot in own)
        self._require(steps)
        return OwnWork(self._lake, self._table, attempt, now, steps, record)

    def _require(self, steps: tuple[Step, ...]) -> None:
        """Raises PermanentError when the table and the journal contradict each other."""
        outcome = self._attempt.outcome
        if outcome is Outcome.DONE and self._attempt.operation in COMMITTING and not steps:
            raise self._problem("its commit is gone from the table")
        if outcome in IDLE and steps:
            raise self._problem(f"it ended with '{outcome}', and yet it committed")

    def _record(self) -> TrashRecord | None:
        """What was put into the trash meanwhile; a record names no run."""
        one = self._attempt
        found = [
            record
            for record in open_trash(self._lake).of(one.uuid)
            if record.operation is one.operation
            and one.started_at_ms <= record.at_ms <= one.finished_at_ms
        ]
        return found[-1] if found else None

    def _step_of(self, own: int) -> Step:
        """The metadata file that first had the snapshot as its head, and the one before it."""
        for older, newer in self._chain.pairs():
            if newer.head == own and older.head != own:
                return Step(older, newer, own)
        raise self._problem(f"the metadata log no longer tells how snapshot {own} came about")

    def _step_from(self, pointer: str) -> Step:
        for older, newer in self._chain.pairs():
            if older.pointer == pointer:
                return Step(older, newer, None)
        raise self._problem(f"the metadata log no longer tells what came after {pointer}")

    def _problem(self, why: str) -> PermanentError:
        return PermanentError(f"{self._what} cannot be checked: {why}", hint=AGAIN)

    def _state(self, pointer: str) -> State:
        return State(pointer, parse_metadata(self._lake.files.read(pointer), location=pointer))


class _Chain:
    """The table's metadata files, newest first; each is read once, and only when asked for."""

    def __init__(self, pointer: str, read: Callable[[str], State]) -> None:
        self._read = read
        self._known = [read(pointer)]
        log = self._known[0].metadata.get("metadata-log") or ()
        self._older = [entry["metadata-file"] for entry in log]

    def states(self) -> Iterator[State]:
        at = 0
        while at < len(self._known) or self._older:
            if at == len(self._known):
                self._known.append(self._read(self._older.pop()))
            yield self._known[at]
            at += 1

    def pairs(self) -> Iterator[tuple[State, State]]:
        """Each with the one that came after it."""
        newer = next(states := self.states())
        for older in states:
            yield older, newer
            newer = older
