"""Expiry as an operation that can be planned, shown and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.units import DAY_MS
from dp_assets.core.units import now_ms as clock_ms
from dp_assets.ports.maintenance import Outcome
from dp_assets.usecases.maintenance.expiring import expire
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry
from dp_assets.usecases.maintenance.work import Done, Running, Work

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.expiry_planning import PlannedExpiry


@dataclass(frozen=True, slots=True)
class ExpiryWork(Work):
    """The snapshots that go, and the files that they free."""

    planned: PlannedExpiry

    @property
    def is_empty(self) -> bool:
        return self.planned.plan.is_empty

    def carry_out(self, lake: Lakehouse, policy: TablePolicy, running: Running) -> Done:
        window_ms = lake.settings.maintenance.trash_days * DAY_MS
        expire(
            lake,
            self.planned,
            policy.retention,
            now_ms=clock_ms(),
            window_ms=window_ms,
            guard=running.guard,
        )
        return Done(Outcome.DONE)


def plan_expiry_work(
    lake: Lakehouse, table: TableId, policy: TablePolicy, now_ms: int
) -> ExpiryWork:
    """What an expiry would do now. Raises LakeError as `planned_expiry` does."""
    return ExpiryWork(planned_expiry(lake, str(table), policy.retention, now_ms=now_ms))
