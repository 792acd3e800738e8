"""Whether health is known of every table, and which tables need maintenance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.health_state import read_health
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.causes import causes, needs_maintenance
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.domains.maintenance.sweep_plan import plan_sweep, worst_first
from dp_assets.ports.health_state import Unmeasured
from dp_assets.ports.maintenance import TableHealth
from dp_assets.usecases.maintenance.measuring import measure_health
from dp_assets.usecases.maintenance.sweeping import state_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.health_state import HealthState

NAMED = 5


@dataclass(frozen=True, slots=True)
class Coverage:
    """Tables in the catalog, those that could not be measured, those that moved since."""

    tables: int
    unmeasured: tuple[Unmeasured, ...]
    waiting: tuple[TableId, ...]


@dataclass(frozen=True, slots=True)
class Worst:
    """One table that needs maintenance, as it is now."""

    table: TableId
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorstTables:
    """Tables that were measured, how many of them need maintenance, the first of those."""

    tables: int
    over: int
    worst: tuple[Worst, ...]


@dataclass(frozen=True, slots=True)
class Unswept:
    """Tables that the next sweep would measure; ``digest`` is of their pointers."""

    tables: tuple[TableId, ...]
    digest: str


def unswept(lake: Lakehouse, *, now_ms: int) -> Unswept:
    """What a sweep made now would do. A table that cannot be read is no reason for another."""
    state, now = read_health(state_file(lake.settings)).state, list_pointers(lake.catalog)
    waiting = _waiting(state, now, now_ms=now_ms)
    lines = "\n".join(f"{table}\t{now[table]}" for table in waiting)
    return Unswept(waiting, hashlib.sha256(lines.encode()).hexdigest())


def coverage(lake: Lakehouse, *, now_ms: int) -> Coverage:
    """Compare the catalog with what the sweeps know.

    Raises PermanentError when there was no sweep, or what it knew is lost.
    """
    state, now = _known(lake), list_pointers(lake.catalog)
    unmeasured = _unmeasured(state, now)
    return Coverage(
        tables=len(now),
        unmeasured=tuple(unmeasured.values()),
        waiting=_waiting(state, now, now_ms=now_ms),
    )


def worst_tables(lake: Lakehouse, *, now_ms: int) -> WorstTables:
    """The tables over a limit; the worst are measured again, for the sweep is not trusted.

    Raises:
        PermanentError: there was no sweep, or one of the worst cannot be read any more.
        TransientError: the store or the catalog did not answer.
    """
    known = [(t, h) for t, h in _known(lake).tables.items() if isinstance(h, TableHealth)]
    there = list_pointers(lake.catalog)
    over = [(t, h) for t, h in worst_first(known) if t in there and _is_over(h, now_ms)]
    again = [(t, measure_health(lake, t, now_ms=now_ms)) for t, _ in over[:NAMED]]
    still = [(t, h) for t, h in worst_first(again) if _is_over(h, now_ms)]
    return WorstTables(
        tables=len(known),
        over=len(over) - len(again) + len(still),
        worst=tuple(
            Worst(t, tuple(cause.text for cause in causes(h, now_ms=now_ms))) for t, h in still
        ),
    )


def _is_over(health: TableHealth, now_ms: int) -> bool:
    return needs_maintenance(causes(health, now_ms=now_ms))


def _waiting(state: HealthState, now: Mapping[TableId, str], *, now_ms: int) -> tuple[TableId, ...]:
    plan = plan_sweep(state, now, own=TABLE_HEALTH.table, now_ms=now_ms)
    unmeasured = _unmeasured(state, now)
    return tuple(table for table in plan.measure if table not in unmeasured)


def _unmeasured(state: HealthState, now: Mapping[TableId, str]) -> dict[TableId, Unmeasured]:
    """Tables that could not be read where they still are."""
    return {
        table: found
        for table, found in state.tables.items()
        if isinstance(found, Unmeasured) and now.get(table) == found.pointer
    }


def _known(lake: Lakehouse) -> HealthState:
    saved = read_health(state_file(lake.settings))
    if saved.problem or saved.state.swept_at_ms is None:
        raise PermanentError(
            saved.problem or "no sweep for health was made yet",
            hint="materialize maintenance/health",
        )
    return saved.state
