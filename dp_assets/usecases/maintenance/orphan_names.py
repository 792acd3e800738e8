"""What a sweep for orphans compares folders with: a table's names, and those of all others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.domains.maintenance.freed import named_by
from dp_assets.domains.maintenance.orphan_folders import (
    folder_key,
    folders_of,
    path_part,
    why_shared,
)
from dp_assets.domains.maintenance.orphan_rules import TableSeen
from dp_assets.domains.maintenance.trash import named_by_trash
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.orphan_refusals import require_judgeable, stop
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.maintenance.trash_names import NamedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import TableClosure
    from dp_assets.usecases.maintenance.orphan_catalog import SweptCatalog


@dataclass(frozen=True, slots=True)
class TableNow:
    """The table at one pointer: keys of what it names, and of that without old metadata files."""

    closure: TableClosure
    seen: TableSeen
    named: frozenset[str]
    needed: frozenset[str]


def named_in_trash(lake: Lakehouse, key: Callable[[str], str]) -> set[str]:
    """The keys of all that the trash needs. Raises PermanentError when it cannot be read."""
    return set(named_by_trash(open_trash(lake).all(), key))


class Names:
    """Reads what is named; every list and manifest of the table at most once."""

    def __init__(self, lake: Lakehouse, table: TableId, *, key: Callable[[str], str]) -> None:
        self._lake = lake
        self._table = table
        self._key = key
        self.known = ParsedFiles()

    def now(self, earlier: TableNow | None = None) -> TableNow:
        """The table as the catalog has it; ``earlier`` itself when it has not moved.

        Raises MaintenanceRefusedError when it cannot be judged, or the answer is older than that.
        """
        pointer = existing_pointer(self._lake.catalog, self._table)
        if earlier is not None and earlier.seen.pointer == pointer:
            return earlier
        closure = self._closure(pointer)
        require_judgeable(self._table, closure)
        return TableNow(
            closure,
            TableSeen.of(closure.metadata, pointer),
            frozenset(named_by(closure, self._key)),
            frozenset(self._key(file.path) for file in closure.files),
        )

    def of_all_tables(
        self,
        paths: Collection[str],
        folders: Mapping[str, str],
        *,
        catalog: SweptCatalog | None = None,
    ) -> NamedFiles:
        """Which of ``paths`` any table names, as ``catalog`` or else the catalog has them.

        Raises:
            MaintenanceRefusedError: another table has files in ``folders``, or a path that only
                scheme or host tell from one of these.
            PermanentError: a table cannot be read.
        """
        wanted = {self._key(path) for path in paths}
        parts = {path_part(name) for name in wanted}

        def look_at(table: TableId, closure: TableClosure) -> None:
            if table != self._table:
                spelled = folders_of(closure.metadata, closure.pointer)
                others = [folder_key(folder, self._key) for folder in spelled]
                stop(self._table, why_shared(folders, others, table))
            for name in named_by(closure, self._key):
                if name not in wanted and path_part(name) in parts:
                    why = "it cannot be told from the file of that path here"
                    stop(self._table, f"{table} names {name}: {why}")

        doing = f"orphans of {self._table}"
        names = NamedFiles(
            self._lake,
            paths,
            doing=doing,
            pointers=partial(catalog.pointers, self._table) if catalog else None,
            known=self.known,
            look_at=look_at,
        )
        names.refresh()
        return names

    def _closure(self, pointer: str) -> TableClosure:
        files = self._lake.files
        try:
            return read_closure(files, pointer, history=History.ALL, known=self.known)
        except PermanentError as error:
            if existing_pointer(self._lake.catalog, self._table) == pointer:
                raise
            raise TransientError(
                f"orphans of {self._table}: it moved while it was read", hint="run it again"
            ) from error
