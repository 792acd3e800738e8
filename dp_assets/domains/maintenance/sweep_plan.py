"""Which tables a sweep for health looks at: those that moved, and our own no more than daily."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS
from dp_assets.domains.lake.inventory import is_ops
from dp_assets.domains.maintenance.burden import burden_bytes
from dp_assets.ports.health_state import HealthState, Measured, Unmeasured
from dp_assets.ports.maintenance import TableHealth


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """Every table known or listed, in exactly one of the tuples, in order of name.

    ``later`` are tables of ours that moved and are not due.
    """

    measure: tuple[TableId, ...]
    later: tuple[TableId, ...]
    unchanged: tuple[TableId, ...]
    gone: tuple[TableId, ...]

    @property
    def is_idle(self) -> bool:
        """Nothing to do."""
        return not (self.measure or self.gone)


def plan_sweep(
    state: HealthState, now: Mapping[TableId, str], *, own: TableId, now_ms: int
) -> SweepPlan:
    """Compare the catalog's listing ``now`` (table to pointer) with the last sweeps.

    A table that could not be read is tried again: a file may be back without the pointer moving.
    Every sweep that measures something makes ``own`` move, the table that receives its rows; so
    that one is never a reason to write a row, and an idle lake stays idle.
    """
    moved = [t for t, pointer in sorted(now.items()) if _moved(state.tables.get(t), pointer)]
    waiting = {t for t in moved if is_ops(t) and not _is_due(state.tables.get(t), now_ms)}
    if not set(moved) - waiting - {own}:
        waiting |= {own} & set(moved)
    return SweepPlan(
        measure=tuple(t for t in moved if t not in waiting),
        later=tuple(sorted(waiting)),
        unchanged=tuple(t for t in sorted(now) if t not in set(moved)),
        gone=tuple(sorted(state.tables.keys() - now.keys())),
    )


def swept(
    state: HealthState, plan: SweepPlan, found: Mapping[TableId, Measured], *, now_ms: int
) -> HealthState:
    """The state after a sweep that found ``found``."""
    kept = {t: m for t, m in state.tables.items() if t not in plan.gone}
    return HealthState(dict(sorted({**kept, **found}.items())), swept_at_ms=now_ms)


def is_news(before: Measured | None, now: Measured) -> bool:
    """Whether a table is to be told of: not when the same file is unreadable as before."""
    return not (
        isinstance(before, Unmeasured)
        and isinstance(now, Unmeasured)
        and (before.pointer, before.problem) == (now.pointer, now.problem)
    )


def worst_first(
    tables: Iterable[tuple[TableId, TableHealth]],
) -> list[tuple[TableId, TableHealth]]:
    """By burden, then by name."""
    return sorted(tables, key=lambda one: (-burden_bytes(one[1]), one[0]))


def _moved(before: Measured | None, pointer: str) -> bool:
    return not isinstance(before, TableHealth) or before.pointer != pointer


def _is_due(before: Measured | None, now_ms: int) -> bool:
    """A last time in the future is a clock that was set back."""
    return before is None or not before.at_ms <= now_ms < before.at_ms + DAY_MS
