"""What an expiry would do to a table, from its metadata; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.maintenance.expiry import ExpiryPlan, plan_expiry
from dp_assets.domains.maintenance.freed import Freed, freed_files
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.recovery import History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import TableClosure


@dataclass(frozen=True, slots=True)
class PlannedExpiry:
    """What an expiry would do to the table at ``pointer``."""

    table: TableId
    uuid: str
    pointer: str
    plan: ExpiryPlan
    freed: Freed


def planned_expiry(
    lake: Lakehouse, name: str, retention: Retention, *, now_ms: int
) -> PlannedExpiry:
    """What an expiry would do; changes nothing.

    Raises:
        ConfigurationError: no such table.
        PermanentError: it is foreign, has no uuid, or something of it cannot be read.
    """
    lake.require_identity(f"expire snapshots of {name}")
    pointers = list_pointers(lake.catalog)
    table = find_table(name, pointers)
    return ExpiryLooking(lake, table, retention, now_ms=now_ms).look(pointers).planned


@dataclass(frozen=True, slots=True)
class ExpiryLook:
    """The table at one moment, and what would go of it."""

    planned: PlannedExpiry
    closure: TableClosure


class ExpiryLooking:
    """Reads one table; lists and manifests once, however often it is looked at."""

    def __init__(
        self, lake: Lakehouse, table: TableId, retention: Retention, *, now_ms: int
    ) -> None:
        self._files = lake.files
        self._table = table
        self._retention = retention
        self.now_ms = now_ms
        self._known = ParsedFiles()

    def look(
        self, pointers: Mapping[TableId, str], *, only: ExpiryPlan | None = None
    ) -> ExpiryLook:
        """What would go, at most what ``only`` has."""
        table, key = self._table, file_identity()
        pointer = pointers[table]
        closure = read_closure(self._files, pointer, history=History.ALL, known=self._known)
        metadata = closure.metadata
        refuse_foreign(table, metadata.get("properties") or {})
        if not closure.uuid:
            raise PermanentError(
                f"{table} has no uuid: what is freed could not be told from another table's",
                hint="any newer writer of Iceberg gives it one with its next commit",
            )
        plan = plan_expiry(metadata, self._retention, now_ms=self.now_ms, only=only)
        others = frozenset(key(_root(at)) for one, at in pointers.items() if at and one != table)
        freed = freed_files(closure, plan, other_roots=others, key=key)
        return ExpiryLook(PlannedExpiry(table, closure.uuid, pointer, plan, freed), closure)


def _root(pointer: str) -> str:
    """The folder of the table of a metadata file, as its place tells without reading it."""
    return pointer.rpartition("/")[0].removesuffix("/metadata")
