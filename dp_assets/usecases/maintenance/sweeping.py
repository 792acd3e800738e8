"""One sweep over all tables: those that moved are measured, noted and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.health_state import read_health, write_health
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH, health_row
from dp_assets.domains.maintenance.sweep_plan import SweepPlan, is_news, plan_sweep, swept
from dp_assets.ports.health_state import HealthState, Unmeasured
from dp_assets.usecases.maintenance.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.health_state import Measured
    from dp_assets.ports.maintenance import TableHealth
    from dp_assets.settings import Settings

STATE = "health.json"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did.

    Attributes:
        news: tables that a row was written of, with what was found.
        state: what is known of all tables now.
        problems: what could not be kept, in words; the sweep counts nevertheless.
    """

    plan: SweepPlan
    news: tuple[tuple[TableId, Measured], ...]
    state: HealthState
    problems: tuple[str, ...] = ()

    @property
    def unmeasured(self) -> tuple[Unmeasured, ...]:
        """Tables that cannot be measured, found now or before."""
        return tuple(one for one in self.state.tables.values() if isinstance(one, Unmeasured))


def state_file(settings: Settings) -> Path:
    """What sweeps remember, on this machine."""
    return settings.state_dir / STATE


def sweep(
    lake: Lakehouse,
    *,
    now_ms: int,
    run_id: str,
    tell: Callable[[TableId, TableHealth], None],
) -> Swept:
    """Measure every table whose pointer moved since the last sweep; read nothing else.

    Args:
        lake: open.
        now_ms: the time of all measurements.
        run_id: noted in the rows.
        tell: called with each table that was measured.

    Raises:
        TransientError, PermanentError: the catalog cannot be read or the state not be written.
            What is wrong with one table is in its row.
    """
    saved = read_health(state_file(lake.settings))
    now = list_pointers(lake.catalog)
    plan = plan_sweep(saved.state, now, own=TABLE_HEALTH.table, now_ms=now_ms)
    problems = [f"{saved.problem}; every table is measured"] if saved.problem else []
    if plan.is_idle:
        return Swept(plan, (), saved.state, tuple(problems))
    found = {table: measured(lake, table, now[table], now_ms=now_ms) for table in plan.measure}
    news = tuple((t, one) for t, one in found.items() if is_news(saved.state.tables.get(t), one))
    for table, one in news:
        if not isinstance(one, Unmeasured):
            tell(table, one)
    rows = [health_row(table, one, run_id=run_id) for table, one in news]
    if problem := quietly("keep health", lambda: lake.spool.add(TABLE_HEALTH.table, rows)):
        problems.append(problem)
    state = swept(saved.state, plan, found, now_ms=now_ms)
    # Last: a sweep that is killed before is made again; a row more of the same pointer is harmless.
    write_health(state_file(lake.settings), state)
    return Swept(plan, news, state, tuple(problems))
