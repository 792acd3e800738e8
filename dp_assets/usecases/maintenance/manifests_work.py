"""The rewrite of manifests as an operation that can be planned, shown and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.ports.maintenance import Outcome
from dp_assets.usecases.maintenance.rewriting_manifests import planned_manifests, rewrite_manifests
from dp_assets.usecases.maintenance.work import Done, Running, Work

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.manifest_plan import ManifestPlan
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse


@dataclass(frozen=True, slots=True)
class ManifestsWork(Work):
    """The manifests that become fewer."""

    planned: ManifestPlan

    @property
    def is_empty(self) -> bool:
        return self.planned.is_empty

    @property
    def bytes(self) -> int:
        return self.planned.bytes

    def carry_out(self, lake: Lakehouse, policy: TablePolicy, running: Running) -> Done:
        done = rewrite_manifests(lake, self.planned, run_id=running.run_id, guard=running.guard)
        running.on_bytes(self.planned.bytes)
        return Done(Outcome.NOTHING if done.snapshot_id is None else Outcome.DONE)


def plan_manifests_work(
    lake: Lakehouse, table: TableId, policy: TablePolicy, now_ms: int
) -> ManifestsWork:
    """What a rewrite would do now. Raises LakeError as `planned_manifests` does."""
    del policy, now_ms
    return ManifestsWork(planned_manifests(lake, table))
