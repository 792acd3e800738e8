"""The attempts at one rewrite of manifests: planned, written, proven, committed, proven again.

When another writer was first, what was written is committed on top of that, as long as the
manifests that it replaces are still there: appends never conflict and cost no second rewrite.
Otherwise it is deleted and planned anew.

A kill after any step leaves files that nothing names; with the pointer the rewrite is done.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.manifest_merging import Limits, ManifestMerging
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.heads import head_of
from dp_assets.domains.maintenance.manifest_piles import partition_order
from dp_assets.domains.maintenance.manifest_plan import ManifestPlan, on_top, plan_manifests
from dp_assets.domains.maintenance.manifest_proof import manifests_summary
from dp_assets.ports.closure import ParsedFiles, TableClosure
from dp_assets.usecases.maintenance.committed import OwnCommit, Proof
from dp_assets.usecases.maintenance.manifest_proving import prove_manifests
from dp_assets.usecases.maintenance.publishing import (
    ATTEMPTS,
    UNTOUCHED,
    Publishing,
    Surroundings,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from dp_assets.adapters.iceberg_snapshot import Staged


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of a rewrite.

    Attributes:
        snapshot_id: of the commit; None when there was nothing left to do.
        plan: that was carried out.
        created: manifests.
    """

    snapshot_id: int | None
    plan: ManifestPlan
    created: int
    attempts: int


@dataclass(frozen=True, slots=True)
class _Ready:
    """Manifests that are written and proven, but named by nothing."""

    plan: ManifestPlan
    merging: ManifestMerging


@dataclass
class RewriteAttempts:
    """One rewrite; what was read of the table is not read again.

    Leaving the ``with`` statement deletes new manifests that certainly nothing names.

    Attributes:
        spool: a folder on this machine for what does not fit in memory.
    """

    around: Surroundings
    planned: ManifestPlan
    run_id: str
    spool: Path
    _known: ParsedFiles = field(default_factory=ParsedFiles)
    _ready: _Ready | None = None
    _unnamed: ManifestMerging | None = None

    def __post_init__(self) -> None:
        table = TableId.parse(self.planned.table)
        self._publishing = Publishing(
            self.around, table, f"manifests of {table}", self.run_id, commit=secrets.token_hex(8)
        )
        self._proof = Proof(
            catalog=self.around.catalog,
            table=table,
            files=self.around.files,
            known=self._known,
            guard=self.around.guard,
            now_ms=self.around.now_ms,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._unnamed is not None:
            self._publishing.delete(self._unnamed.written)

    def prepare(self) -> None:
        """Write and prove the manifests for the table as it is; nothing needs to be held for it.

        Raises PermanentError as :func:`rewrite_manifests`.
        """
        state, closure = self._publishing.fresh(self._known)
        self._require_same(closure)
        self._prepared(state, closure)

    def run(self) -> Rewritten:
        """Commit what was prepared, or what fits the table by then.

        Raises LakeError as :func:`rewrite_manifests`.
        """
        for attempt in range(1, ATTEMPTS + 1):
            state, closure = self._publishing.fresh(self._known)
            self._require_same(closure)
            ready = self._prepared(state, closure)
            if ready.plan.is_empty:
                return Rewritten(None, ready.plan, 0, attempt)
            staged = self._stage(state, closure, ready)
            self._unnamed = None
            after = self._publishing.publish(
                staged, kept=ready.merging.written, is_last=attempt == ATTEMPTS
            )
            if after is None:
                self._unnamed = ready.merging
            else:
                self.around.failpoint("committed")
                self._proof.require(_own(staged, closure), after)
                self.around.failpoint("proven")
                created = len(ready.merging.written)
                return Rewritten(staged.snapshot.snapshot_id, ready.plan, created, attempt)
        raise AssertionError

    def _require_same(self, closure: TableClosure) -> None:
        if closure.uuid != self.planned.uuid:
            raise PermanentError(
                f"{self.planned.table} was dropped and made again since this was planned",
                hint="plan it again",
            )

    def _prepared(self, state: TableState, closure: TableClosure) -> _Ready:
        """Manifests for the table as it is: those of an attempt before where they still fit."""
        if self._ready is not None and not self._ready.plan.is_empty:
            if self._ready.merging.stays(state):
                return _Ready(on_top(self._ready.plan, closure), self._ready.merging)
            self._publishing.delete(self._ready.merging.written)
        plan = plan_manifests(self.planned.table, closure, self.planned.rule)
        limits = Limits(plan.limit_bytes, partition_order, self.spool)
        merging = ManifestMerging(state, self.around.files, secrets.randbits(63), limits)
        if not plan.is_empty:
            self._unnamed = merging
            with verdicts(self._publishing.doing, hint=UNTOUCHED):
                merging.merge([pile.manifests for pile in plan.piles])
                self.around.failpoint("manifests-written")
                read = prove_manifests(merging, closure)
                self._known.manifests.update(read)
                self.around.failpoint("manifests-proven")
        self._ready = _Ready(plan, merging)
        return self._ready

    def _stage(self, state: TableState, closure: TableClosure, ready: _Ready) -> Staged:
        summary = manifests_summary(
            head_of(closure),
            ready.plan,
            created=len(ready.merging.written),
            run_id=self.run_id,
            commit=self._publishing.commit,
        )
        with verdicts(self._publishing.doing, hint=UNTOUCHED):
            staged = ready.merging.stage(
                state, empty=ready.plan.empty, summary=summary, now_ms=self.around.now_ms()
            )
        self.around.failpoint("files-written")
        return staged


def _own(staged: Staged, closure: TableClosure) -> OwnCommit:
    return OwnCommit(
        snapshot_id=staged.snapshot.snapshot_id,
        before=closure,
        parent=cast("int", closure.head),  # its manifests are replaced
        groups=(),
        sequence_number=0,
        dropped=frozenset(),
    )
