"""What was done to tables: kept in `ops.journal`, and read back to decide what is due."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dp_assets.core.units import HOUR_MS
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.domains.maintenance.journal import JOURNAL, journal_row
from dp_assets.ports.maintenance import Attempt, Conflict, Operation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse

DAYS = 90  # of attempts that decisions look at: the longest back-off and interval are shorter
QUERY = """
SELECT *, epoch_ms(started_at) AS started_at_ms, epoch_ms(finished_at) AS finished_at_ms
FROM {table} WHERE started_at >= make_timestamptz({since_ms} * 1000) ORDER BY started_at
"""


class Journal:
    """The attempts of the last 90 days, as read at one moment."""

    def __init__(self, attempts: Sequence[Attempt], *, now_ms: int) -> None:
        self._by_table: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in attempts:
            self._by_table[attempt.table].append(attempt)
        self.recent = [one for one in attempts if one.started_at_ms > now_ms - HOUR_MS]

    def of(self, table: TableId) -> Sequence[Attempt]:
        """What was done to a table, oldest first."""
        return self._by_table.get(str(table), [])


def keep(lake: Lakehouse, attempt: Attempt) -> str | None:
    """Keep an attempt; why it could not be kept, which never fails the operation itself."""
    row = journal_row(attempt)
    return quietly("keep the journal", lambda: lake.spool.add(JOURNAL.table, [row]))


def read_journal(lake: Lakehouse, *, now_ms: int) -> Journal:
    """What is known of the past; rows that wait in the spool count."""
    if JOURNAL.table not in lake.tables() and JOURNAL.table not in lake.spool.tables():
        return Journal((), now_ms=now_ms)  # and DuckDB need not be loaded
    since_ms = now_ms - DAYS * 24 * HOUR_MS
    with lake.reader() as reader:
        lake.attach(reader, [JOURNAL.table])
        query = QUERY.format(table=JOURNAL.table, since_ms=since_ms)
        rows = reader.rows(query, about=JOURNAL.table).to_pylist()
    return Journal([_attempt(row) for row in rows], now_ms=now_ms)


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(
        table=row["table"],
        uuid=row["uuid"] or "",
        operation=Operation(row["operation"]),
        outcome=Outcome(row["outcome"]),
        started_at_ms=row["started_at_ms"],
        finished_at_ms=row["finished_at_ms"],
        pointer=row["pointer"],
        run_id=row["run_id"],
        problem=row["problem"] or "",
        before=_figures(row["before"]),
        after=_figures(row["after"]),
        memory_bytes=row["memory_bytes"],
        conflicts=tuple(Conflict(*one) for one in json.loads(row.get("conflicts") or "[]")),
    )


def _figures(text: str | None) -> Mapping[str, int] | None:
    return None if text is None else json.loads(text)
