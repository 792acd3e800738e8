"""What somebody who asks for maintenance gets: operations on tables, in the order of doing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.domains.lake.naming import find_table
from dp_assets.usecases.maintenance.deciding import decide_tables
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.looking import health_now, tables_to_look_at
from dp_assets.usecases.maintenance.maintaining import PLANNERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Operation


def wanted(
    lake: Lakehouse, names: Sequence[str], only: Operation | None, *, now_ms: int
) -> list[tuple[TableId, Operation]]:
    """What to do: all operations on the tables that are named; without names what is due.

    An operation that somebody asks for waits for no other one of its table: their order saves
    work, and each is safe without those before it.

    Raises:
        ConfigurationError: there is no such table.
    """
    operations = [one for one in PLANNERS if only in (None, one)]
    known = tables_to_look_at(lake)
    if names:
        tables = [find_table(name, known.pointers) for name in names]
        return [(table, operation) for table in tables for operation in operations]
    journal = read_journal(lake, now_ms=now_ms)
    decisions = decide_tables(
        lake,
        sorted(known.pointers),
        health=lambda table: health_now(lake, known, table, now_ms=now_ms),
        attempts=journal.of,
        recent=journal.recent,
        now_ms=now_ms,
        operations=operations,
    )
    return [(d.table, d.operation) for d in decisions if d.due]
