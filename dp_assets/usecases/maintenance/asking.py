"""What maintenance is to be asked for now, looking only at tables where that can have changed.

A table is looked at when it moved, when a decision about it may have changed by time, while
something is due of it, and once a day in any case: workload and policies change slowly.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.due_state import read_due, write_due
from dp_assets.adapters.maintenance.health_state import read_health
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.domains.maintenance.due import due
from dp_assets.ports.due_state import Decided, DueState
from dp_assets.usecases.maintenance.deciding import decide_tables, policy_at
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.looking import ToLookAt, health_now
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets.usecases.maintenance.sweeping import state_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.due import Decision
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Attempt, Operation
    from dp_assets.settings import Settings

STATE = "due.json"
SHORTEST_MS, LONGEST_MS = 5 * MINUTE_MS, DAY_MS
UNREADABLE_MS = HOUR_MS  # after which a table is tried again that could not be judged
AGAIN_MS = 3 * HOUR_MS  # after which work is asked for again that left no trace in the journal
# What no sweep has measured yet is measured here: 200 tables of 20 manifests took 5 s, loaded.
MOST_MEASURED = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation that is due.

    Attributes:
        pointer: of the table when this was decided.
        reasons: the limits that are reached.
        key: the same until the operation was attempted, or 3 hours have passed.
    """

    table: TableId
    operation: Operation
    pointer: str
    reasons: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is due, the worst first; of how many tables, and how many of them were looked at."""

    asks: tuple[Ask, ...]
    tables: int
    looked_at: int


def due_file(settings: Settings) -> Path:
    """What the looks remember, on this machine."""
    return settings.state_dir / STATE


def due_work(lake: Lakehouse, *, now_ms: int, everything: bool = False) -> Asked:
    """What is due now; tables do not change, what was found is remembered.

    Args:
        lake: open.
        now_ms: the time that is judged.
        everything: look at all tables, whatever is remembered of them.

    Raises:
        TransientError, PermanentError: the catalog or the journal cannot be read, or what was
            found not be written. One table that cannot be judged stops no other.
    """
    file, digest = due_file(lake.settings), _digest(lake.settings)
    pointers, known = list_pointers(lake.catalog), read_due(file)
    if known.settings != digest or everything:
        known = DueState()
    moved = [t for t, at in pointers.items() if not known.is_settled(t, at, now_ms=now_ms)]
    if not moved:
        return Asked((), len(pointers), 0)
    tables = ToLookAt(pointers, read_health(state_file(lake.settings)).state)
    chosen = list(_measurable(moved, tables))
    journal = read_journal(lake, now_ms=now_ms)
    decisions = decide_tables(
        lake,
        chosen,
        health=lambda table: health_now(lake, tables, table, now_ms=now_ms),
        attempts=journal.of,
        recent=journal.recent,
        now_ms=now_ms,
    )
    found = {t: Decided(pointers[t], now_ms, at) for t, at in _next(decisions, now_ms).items()}
    kept = {table: one for table, one in known.tables.items() if table in pointers}
    write_due(file, DueState(digest, {**kept, **found}))
    asks = (
        Ask(
            d.table, d.operation, pointers[d.table], d.reasons, _key(d, journal.of(d.table), now_ms)
        )
        for d in due(decisions)
        if d.operation in PLANNERS
    )
    return Asked(tuple(asks), len(pointers), len(chosen))


def longest_seconds(lake: Lakehouse, ask: Ask, *, now_ms: int) -> int:
    """How long the operation may take, by the policy of the table. Raises as `policy_at`."""
    policy = policy_at(lake, ask.table, ask.pointer, now_ms=now_ms)
    return policy.operations[ask.operation].timeout_ms // 1000


def _measurable(moved: Iterable[TableId], tables: ToLookAt) -> Iterable[TableId]:
    """All that a sweep knows, and so many of the others; the rest is looked at next time."""
    left = MOST_MEASURED
    for table in sorted(moved):
        if tables.is_known(table):
            yield table
        elif left > 0:
            left -= 1
            yield table


def _next(decisions: Iterable[Decision], now_ms: int) -> dict[TableId, int]:
    """When each table is looked at again although it did not move."""
    found: defaultdict[TableId, list[Decision]] = defaultdict(list)
    for decision in decisions:
        found[decision.table].append(decision)
    return {table: _next_look(ones, now_ms) for table, ones in found.items()}


def _next_look(decisions: Sequence[Decision], now_ms: int) -> int:
    if any(d.due for d in decisions):
        return now_ms
    if not any(d.findings for d in decisions):
        return now_ms + UNREADABLE_MS
    times = (d.next_ms for d in decisions if d.next_ms is not None)
    soonest = min(times, default=now_ms + LONGEST_MS)
    return min(max(soonest, now_ms + SHORTEST_MS), now_ms + LONGEST_MS)


def _key(decision: Decision, attempts: Sequence[Attempt], now_ms: int) -> str:
    """Without the pointer: a table that is written every minute is asked for once all the same."""
    of = decision.operation
    last = max((a.finished_at_ms for a in attempts if a.operation is of), default=0)
    return f"{decision.table}/{of}/{last}/{now_ms // AGAIN_MS}"


def _digest(settings: Settings) -> str:
    """Of what the decisions go by; with other rules every table is looked at again."""
    text = settings.maintenance.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]
