"""The health of tables for people: what the sweeps know, and the rest measured at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.health_state import read_health
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.ports.maintenance import TableHealth
from dp_assets.usecases.maintenance.measuring import measure_health, measured, with_unheld
from dp_assets.usecases.maintenance.sweeping import state_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.health_state import HealthState, Measured

HISTORY = """
SELECT epoch_ms(measured_at) AS at_ms, burden_bytes, files, small_files, bytes, delete_files,
  manifests, snapshots, old_bytes, problem
FROM {table} WHERE "table" = '{name}' ORDER BY measured_at DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class PastHealth:
    """A row of ``ops.table_health``; figures are None where the table could not be measured."""

    at_ms: int
    burden_bytes: int | None
    files: int | None
    small_files: int | None
    bytes: int | None
    delete_files: int | None
    manifests: int | None
    snapshots: int | None
    old_bytes: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class ToLookAt:
    """The catalog's tables, and what is known of those that did not move."""

    pointers: Mapping[TableId, str]
    known: HealthState

    def is_known(self, table: TableId) -> bool:
        """Whether a sweep has measured the table at the very pointer that it has now."""
        found = self.known.tables.get(table)
        return isinstance(found, TableHealth) and found.pointer == self.pointers[table]


def tables_to_look_at(lake: Lakehouse) -> ToLookAt:
    """Raises TransientError or PermanentError when the catalog cannot be read."""
    return ToLookAt(list_pointers(lake.catalog), read_health(state_file(lake.settings)).state)


def look(
    lake: Lakehouse, tables: ToLookAt, *, now_ms: int, advance: Callable[[int], None]
) -> dict[TableId, Measured]:
    """Every table's health now, in order of name; changes and remembers nothing.

    ``advance`` is called with 1 for each table that had to be measured.
    """
    found: dict[TableId, Measured] = {}
    for table, pointer in sorted(tables.pointers.items()):
        known = tables.known.tables.get(table)
        if isinstance(known, TableHealth) and tables.is_known(table):
            found[table] = with_unheld(lake, known)
        else:
            found[table] = measured(lake, table, pointer, now_ms=now_ms)
            advance(1)
    return found


def health_now(lake: Lakehouse, tables: ToLookAt, table: TableId, *, now_ms: int) -> TableHealth:
    """One table's health now: what a sweep knows of it, or measured. Raises as `measure_health`."""
    found = tables.known.tables.get(table)
    if isinstance(found, TableHealth) and tables.is_known(table):
        return with_unheld(lake, found)
    return measure_health(lake, table, now_ms=now_ms)


def look_at(lake: Lakehouse, name: str, *, now_ms: int) -> TableHealth:
    """The health of the table called ``name``, measured now.

    Raises:
        ConfigurationError: there is no such table; names the nearest one.
        PermanentError, TransientError: it cannot be read.
    """
    table = find_table(name, list_pointers(lake.catalog))
    return measure_health(lake, table, now_ms=now_ms)


def past_health(lake: Lakehouse, name: str, *, most: int) -> tuple[PastHealth, ...]:
    """The table's last rows of ``ops.table_health``, newest first; those in the spool count."""
    table = TABLE_HEALTH.table
    query = HISTORY.format(table=table, name=name.replace("'", "''"), most=most)
    with lake.reader() as reader:
        lake.attach(reader, [table])
        rows = reader.rows(query, about=table).to_pylist()
    return tuple(PastHealth(**row) for row in rows)
