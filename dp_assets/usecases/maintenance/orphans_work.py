"""The sweep for orphans as an operation that can be planned, shown and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.orphan_state import write_unheld
from dp_assets.core.units import now_ms as clock_ms
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.ports.maintenance import Outcome
from dp_assets.ports.orphans import Unheld
from dp_assets.usecases.maintenance.finding_orphans import find_orphans
from dp_assets.usecases.maintenance.orphan_catalog import SweptCatalog
from dp_assets.usecases.maintenance.orphan_refusals import refuse
from dp_assets.usecases.maintenance.recording_orphans import record_orphans
from dp_assets.usecases.maintenance.work import Done, Running, Work

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.finding_orphans import Orphans
    from dp_assets.usecases.maintenance.work import Planner


@dataclass(frozen=True, slots=True)
class OrphansWork(Work):
    """The files that go to the trash."""

    found: Orphans

    @property
    def is_empty(self) -> bool:
        return not self.found.files

    def carry_out(self, lake: Lakehouse, policy: TablePolicy, running: Running) -> Done:
        now_ms = clock_ms()
        record = record_orphans(lake, self.found, now_ms=now_ms, guard=running.guard)
        if record is None:
            return Done(Outcome.NOTHING)
        left = self.found.bytes - record.bytes
        _remember(lake, self.found, self.found.young_bytes + left, now_ms=now_ms)
        return Done(Outcome.DONE)


def sweep_planner(lake: Lakehouse, *, allow: bool) -> Planner:
    """Plans one table of a sweep after the other; all of them list the catalog once.

    ``allow``: also very many files, or much of a table.
    """
    planner = plan_many_orphans if allow else plan_orphans_work
    return partial(planner, catalog=SweptCatalog(lake))


def plan_orphans_work(
    lake: Lakehouse,
    table: TableId,
    policy: TablePolicy,
    now_ms: int,
    catalog: SweptCatalog | None = None,
) -> OrphansWork:
    """What a sweep would put into the trash now; what it found is remembered for health.

    Raises:
        MaintenanceRefusedError: it is more than goes without a person, or cannot be told.
        LakeError: as `find_orphans`.
    """
    work = plan_many_orphans(lake, table, policy, now_ms, catalog)
    if work.found.asks:
        hint = f"look at them with 'dp maintain {table} --only orphans --allow --dry-run'"
        command = f"'dp maintain {table} --only orphans --allow' takes them"
        refuse(table, f"{work.found.asks}; {command}", hint=hint)
    return work


def plan_many_orphans(
    lake: Lakehouse,
    table: TableId,
    policy: TablePolicy,
    now_ms: int,
    catalog: SweptCatalog | None = None,
) -> OrphansWork:
    """As `plan_orphans_work`, however many they are: a person has allowed it."""
    age_ms = policy.orphan_age_ms
    found = find_orphans(lake, table, age_ms=age_ms, now_ms=now_ms, catalog=catalog)
    _remember(lake, found, found.young_bytes + found.bytes, now_ms=now_ms)
    return OrphansWork(found)


def _remember(lake: Lakehouse, found: Orphans, size_bytes: int, *, now_ms: int) -> None:
    """Whether it could be kept changes nothing of the sweep."""
    state_dir, what = lake.settings.state_dir, Unheld(now_ms, size_bytes)
    quietly("remember orphans", lambda: write_unheld(state_dir, found.seen.uuid, what))
