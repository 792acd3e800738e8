"""The attempts at one commit of a compaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from dp_assets.adapters.iceberg_snapshot import Staged
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.iceberg_replace import Replacement, stage_replace
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.conflicts import DroppedGroup, judge
from dp_assets.domains.maintenance.dangling import dangling
from dp_assets.domains.maintenance.heads import Head, Placed, head_of
from dp_assets.domains.maintenance.replace_summary import replace_summary
from dp_assets.ports.closure import LiveEntry, ParsedFiles, TableClosure
from dp_assets.ports.compaction import CompactionPlan, RewrittenGroup
from dp_assets.ports.live_files import scope
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.committed import OwnCommit, Proof
from dp_assets.usecases.maintenance.publishing import (
    ATTEMPTS,
    UNTOUCHED,
    Publishing,
    Surroundings,
)


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a commit.

    Attributes:
        snapshot_id: of the commit; None when every group was dropped.
        groups: what the snapshot holds.
        dropped: each with the reason; the files written for it are deleted.
        repeated: it had landed before, in a call whose answer was lost.
    """

    snapshot_id: int | None
    groups: tuple[RewrittenGroup, ...]
    dropped: tuple[DroppedGroup, ...]
    attempts: int
    repeated: bool = False


@dataclass
class CommitAttempts:
    """One commit of groups of ``plan``; what was read of the table is not read again."""

    around: Surroundings
    plan: CompactionPlan
    offered: Sequence[RewrittenGroup]
    run_id: str
    _known: ParsedFiles = field(default_factory=ParsedFiles)
    _read: dict[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])

    def __post_init__(self) -> None:
        self.table = TableId.parse(self.plan.table)
        self._doing = f"compaction of {self.table}"
        self._commit = _commit_name(self.offered)
        self._publishing = Publishing(
            self.around, self.table, self._doing, self.run_id, self._commit
        )
        self._proof = Proof(
            catalog=self.around.catalog,
            table=self.table,
            files=self.around.files,
            known=self._known,
            guard=self.around.guard,
            now_ms=self.around.now_ms,
        )

    def run(self) -> Committed:
        """See :func:`commit_compaction`."""
        groups, dropped = tuple(self.offered), tuple[DroppedGroup, ...]()
        for attempt in range(1, ATTEMPTS + 1):
            state, closure = self._publishing.fresh(self._known)
            if (landed := self._publishing.landed(state.raw)) is not None:
                return self._recognised(state, landed)
            head = head_of(closure)
            verdict = judge(self.plan, groups, head, named=self._named)
            self._publishing.delete(p for p in _new_files(verdict.dropped) if p not in head.data)
            dropped, groups = (*dropped, *verdict.dropped), verdict.groups
            if not groups:
                return Committed(None, (), dropped, attempt)
            deletes = self._dangling(head, groups)
            staged = self._stage(state, closure, groups, deletes)
            kept = [file.path for one in groups for file in one.written]
            after = self._publishing.publish(staged, kept=kept, is_last=attempt == ATTEMPTS)
            if after is not None:
                self.around.failpoint("committed")
                own = self._own(staged.snapshot.snapshot_id, closure, head, groups, deletes)
                self._proof.require(own, after)
                self.around.failpoint("proven")
                return Committed(own.snapshot_id, groups, dropped, attempt)
        raise AssertionError

    @property
    def _number(self) -> int:
        return self.plan.sequence_number if self.plan.format_version > 1 else 0

    def _dangling(self, head: Head, groups: Sequence[RewrittenGroup]) -> tuple[Placed, ...]:
        gone = {file.path for one in groups for file in one.group.inputs}
        places = [scope(o.group.spec_id, o.group.partition) for o in groups for _ in o.written]
        added = [(place, self._number) for place in places]
        return dangling(head, gone=gone, added=added, named=self._named)

    def _stage(
        self,
        state: TableState,
        closure: TableClosure,
        groups: Sequence[RewrittenGroup],
        deletes: Sequence[Placed],
    ) -> Staged:
        summary = replace_summary(
            head_of(closure), groups, deletes, run_id=self.run_id, commit=self._commit
        )
        identities = frozenset(placed.identity for placed in deletes)
        with verdicts(self._doing, hint=UNTOUCHED):
            staged = stage_replace(
                state,
                closure,
                Replacement(groups, self._number, identities, summary),
                now_ms=self.around.now_ms(),
                failpoint=self.around.failpoint,
            )
        self.around.failpoint("files-written")
        return staged

    def _recognised(self, state: TableState, landed: int) -> Committed:
        """A commit of an earlier call whose answer was lost; it is proven now."""
        closure = read_closure(
            self.around.files, state.pointer, history=History.ALL, known=self._known
        )
        data = head_of(closure, landed).data
        groups = tuple(one for one in self.offered if _is_in(one, data))
        others = tuple(one for one in self.offered if not _is_in(one, data))
        parent = next(s.parent_id for s in closure.snapshots if s.snapshot_id == landed)
        if any(s.snapshot_id == parent for s in closure.snapshots):
            before = head_of(closure, parent)
            deletes = self._dangling(before, groups)
            self._proof.require(self._own(landed, closure, before, groups, deletes), state)
        dropped = tuple(DroppedGroup(one, "it is not in the commit that landed") for one in others)
        return Committed(landed, groups, dropped, attempts=1, repeated=True)

    def _own(
        self,
        snapshot_id: int,
        closure: TableClosure,
        before: Head,
        groups: Sequence[RewrittenGroup],
        deletes: Sequence[Placed],
    ) -> OwnCommit:
        return OwnCommit(
            snapshot_id=snapshot_id,
            before=closure,
            parent=cast("int", before.snapshot_id),  # groups are replaced in it
            groups=groups,
            sequence_number=self._number,
            dropped=frozenset(placed.identity for placed in deletes),
        )

    def _named(self, delete: LiveEntry) -> Collection[str]:
        """The data files that a position delete file is about; each file is read once."""
        if delete.referenced:
            return (delete.referenced,)
        if delete.path not in self._read:
            found = deleted_positions(self.around.files, delete.path, file_format=delete.format)
            self._read[delete.path] = frozenset(found)
        return self._read[delete.path]


def _commit_name(groups: Sequence[RewrittenGroup]) -> str:
    """What tells this commit from any other: the files in and out, and new names are random."""
    paths = sorted(f.path for one in groups for f in (*one.group.inputs, *one.written))
    return hashlib.sha256("\n".join(paths).encode()).hexdigest()[:16]


def _new_files(dropped: Sequence[DroppedGroup]) -> Iterator[str]:
    return (file.path for one in dropped for file in one.rewritten.written)


def _is_in(one: RewrittenGroup, data: Collection[str]) -> bool:
    """Whether a group was committed to a snapshot with these data files."""
    return all(file.path in data for file in one.written) and not any(
        file.path in data for file in one.group.inputs
    )
