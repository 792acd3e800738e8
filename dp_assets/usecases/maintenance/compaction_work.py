"""Compaction as an operation that can be planned, shown and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance.compacting import compact, planned_compaction
from dp_assets.usecases.maintenance.work import Done, Running, Work

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.compacting import PlannedCompaction


@dataclass(frozen=True, slots=True)
class CompactionWork(Work):
    """The groups of files that are rewritten."""

    planned: PlannedCompaction

    @property
    def is_empty(self) -> bool:
        return not self.planned.plan.groups

    @property
    def bytes(self) -> int:
        return sum(group.bytes for group in self.planned.plan.groups)

    def carry_out(self, lake: Lakehouse, policy: TablePolicy, running: Running) -> Done:
        done = compact(
            lake,
            self.planned,
            memory_bytes=policy.operations[Operation.COMPACTION].memory_bytes,
            run_id=running.run_id,
            guard=running.guard,
            on_group=lambda group: running.on_bytes(group.bytes),
        )
        why = "; ".join(dict.fromkeys(group.reason for group in done.dropped))
        return Done(Outcome.DONE if done.groups else Outcome.FAILED, why)


def plan_compaction_work(
    lake: Lakehouse, table: TableId, policy: TablePolicy, now_ms: int
) -> CompactionWork:
    """What a compaction would do now. Raises LakeError as `planned_compaction` does."""
    del now_ms
    rule = CompactionRule(target=policy.target, min_inputs=policy.min_inputs)
    return CompactionWork(planned_compaction(lake, table, rule))
