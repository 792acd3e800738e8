"""After a compaction's commit: its snapshot read back and compared with its parent.

What differs is rolled back while the snapshot is still the head; once others have built on it, only
a person can decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import Json, head_id
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_rollback import commit_rollback
from dp_assets.adapters.recovery.live_rows import Rows, live_rows
from dp_assets.core.errors import LakeError, OutcomeUnknownError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.rollback import rolled_back
from dp_assets.domains.maintenance.heads import VectorId, head_of
from dp_assets.domains.maintenance.replace_proof import (
    files_difference,
    metadata_difference,
    parent_difference,
)
from dp_assets.ports.closure import ParsedFiles, TableClosure, one_spelling
from dp_assets.ports.compaction import RewrittenGroup
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import History

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


@dataclass(frozen=True)
class OwnCommit:
    """A compaction's snapshot, and what it should be.

    Attributes:
        before: the table that it was committed to, its parent the head or at least kept.
        parent: the snapshot that it follows.
        sequence_number: of the planned snapshot, which the new files keep.
        dropped: delete entries that it takes away.
    """

    snapshot_id: int
    before: TableClosure
    parent: int
    groups: Sequence[RewrittenGroup]
    sequence_number: int
    dropped: frozenset[VectorId]


@dataclass(frozen=True)
class Proof:
    """Proves commits to one table; ``guard`` is asked before a rollback moves the pointer."""

    catalog: Catalog
    table: TableId
    files: LakeFiles
    known: ParsedFiles
    guard: Callable[[], None]
    now_ms: Callable[[], int]

    def require(self, own: OwnCommit, after: TableState) -> None:
        """Return when the commit is right.

        Args:
            own: the commit.
            after: a state of the table that has it.

        Raises:
            PermanentError: it was wrong, and is rolled back.
            OutcomeUnknownError: it is wrong and not the head any more; or it cannot be read.
        """
        try:
            difference = self._difference(own, after)
        except PermanentError as error:
            difference = error.what
        except LakeError as error:
            raise OutcomeUnknownError(
                f"snapshot {own.snapshot_id} of {self.table} is committed but not proven: "
                f"{error.what}",
                hint=f"when that is mended, 'dp fsck {self.table}' reads it",
            ) from error
        if difference:
            self._undo(own, after, difference)

    def _difference(self, own: OwnCommit, after: TableState) -> str:
        is_head = head_id(after.raw) == own.snapshot_id
        closure = read_closure(
            self.files,
            after.pointer,
            history=History.CURRENT if is_head else History.ALL,
            known=self.known,
        )
        if wrong := parent_difference(closure, own.snapshot_id, own.parent):
            return wrong
        if is_head and _follows(after.raw, own.before.pointer):
            wrong = metadata_difference(own.before, closure, own.snapshot_id)
        return (
            wrong
            or files_difference(
                head_of(own.before, own.parent),
                head_of(closure, own.snapshot_id),
                own.groups,
                sequence_number=own.sequence_number,
                dropped=own.dropped,
            )
            or self._missing(own, closure)
            or self._rows_difference(own, closure)
        )

    def _missing(self, own: OwnCommit, after: TableClosure) -> str:
        """A new file that is not there in its size."""
        known = {use.path for s in own.before.snapshots for use in s.manifests}
        (ours,) = (s for s in after.snapshots if s.snapshot_id == own.snapshot_id)
        sizes = {use.path: use.size for use in ours.manifests if use.path not in known}
        sizes |= {file.path: file.size for one in own.groups for file in one.written}
        for path, size in sizes.items():
            found = self.files.stat(path)
            if found is None or found.size != size:
                return f"{path} has not the {size} bytes that were written"
        return ""

    def _rows_difference(self, own: OwnCommit, after: TableClosure) -> str:
        """Of each group; where equality deletes apply, its rows may only have become fewer."""
        for one in own.groups:
            old = self._rows(own.before, own.parent, [f.path for f in one.group.inputs])
            new = self._rows(after, own.snapshot_id, [f.path for f in one.written])
            if new.count > old.count or (old.exact and new.exact and old.count != new.count):
                return f"{old.count} rows of {one.group.inputs[0].path} and others are {new.count}"
        return ""

    def _rows(self, closure: TableClosure, snapshot_id: int, paths: Sequence[str]) -> Rows:
        (snapshot,) = (s for s in closure.snapshots if s.snapshot_id == snapshot_id)
        only = {one_spelling(path) for path in paths}
        return sum(live_rows(closure, self.files, snapshot, only=only).values(), Rows(0))

    def _undo(self, own: OwnCommit, after: TableState, difference: str) -> None:
        what = f"snapshot {own.snapshot_id} of {self.table} is wrong: {difference}"
        try:
            with verdicts(f"roll back {self.table}", hint="look at it with 'dp table'"):
                self._roll_back(own, after)
        except LakeError as error:
            raise OutcomeUnknownError(
                f"{what}; it could not be rolled back: {error.what}",
                hint=f"stop its writers; 'dp table {self.table} --history' shows what came after "
                f"snapshot {own.parent}, the last right one",
            ) from error
        raise PermanentError(
            f"{what}; it was rolled back to {own.parent}",
            hint="no row is lost; report this with the table's metadata files",
        )

    def _roll_back(self, own: OwnCommit, after: TableState) -> None:
        now = load_state(after.io, existing_pointer(self.catalog, self.table))
        if head_id(now.raw) != own.snapshot_id:
            raise PermanentError("it is not the head any more", hint="")
        commit_rollback(
            self.catalog,
            self.table,
            now,
            own.parent,
            edited=lambda raw, at_ms: rolled_back(raw, own.parent, at_ms=at_ms),
            now_ms=self.now_ms(),
            before_swap=self.guard,
        )


def _follows(metadata: Json, pointer: str) -> bool:
    """Whether the metadata was made from the file at ``pointer``."""
    log = metadata.get("metadata-log") or ()
    return bool(log) and log[-1]["metadata-file"] == pointer
