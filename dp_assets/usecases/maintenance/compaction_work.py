"""Compaction as an operation that can be planned, shown and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.units import iso_utc
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.domains.maintenance.hot import hot_now
from dp_assets.ports.maintenance import Conflict, Operation, Outcome
from dp_assets.usecases.maintenance.compacting import compact, planned_compaction
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.work import Done, Running, Work

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.compacting import PlannedCompaction
    from dp_assets.usecases.maintenance.journaling import Journal


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
        hit = (one.rewritten.group for one in done.dropped if one.is_conflict)
        conflicts = dict.fromkeys(Conflict(g.spec_id, g.partition, g.words) for g in hit)
        return Done(Outcome.DONE if done.groups else Outcome.FAILED, why, tuple(conflicts))


def plan_compaction_work(
    lake: Lakehouse,
    table: TableId,
    policy: TablePolicy,
    now_ms: int,
    journal: Journal | None = None,
) -> CompactionWork:
    """What a compaction would do now; partitions that are hot are left alone.

    ``journal`` is that of all tables, where many are planned; else it is read for this one.

    Raises LakeError as `planned_compaction` does.
    """
    history = (journal or read_journal(lake, now_ms=now_ms)).of(table)
    left_alone = {
        place: f"{hot}, left alone until {iso_utc(hot.until_ms)}"
        for place, hot in hot_now(history, now_ms=now_ms).items()
    }
    rule = CompactionRule(policy.target, policy.min_inputs, left_alone=left_alone)
    return CompactionWork(planned_compaction(lake, table, rule))


def plan_whole_compaction(
    lake: Lakehouse, table: TableId, policy: TablePolicy, now_ms: int
) -> CompactionWork:
    """The same with hot partitions: for a person who wants the table compacted."""
    del now_ms
    rule = CompactionRule(policy.target, policy.min_inputs)
    return CompactionWork(planned_compaction(lake, table, rule))
