"""Which of some files any table of the lakehouse names."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.domains.maintenance.freed import named_by
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.recovery import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import TableClosure
    from dp_assets.ports.maintenance_trash import TrashRecord

NOTHING_DELETED = "nothing was deleted; look at it with 'dp doctor', then run this again"


class NamedFiles:
    """The files among ``paths`` that tables name: every table is read, one at a time in memory.

    Args:
        lake: open.
        paths: the files that are asked about.
        doing: for errors, what would be done with them.
        pointers: of all tables; by default as the catalog has them at each refresh.
        known: lists and manifests read before, which are not read again.
        look_at: called with each table that was read; may raise.
    """

    def __init__(
        self,
        lake: Lakehouse,
        paths: Iterable[str],
        *,
        doing: str,
        pointers: Callable[[], Mapping[TableId, str]] | None = None,
        known: ParsedFiles | None = None,
        look_at: Callable[[TableId, TableClosure], None] = lambda _table, _closure: None,
    ) -> None:
        self._lake = lake
        self._files = lake.files
        self._doing = doing
        self._list = pointers or (lambda: list_pointers(lake.catalog))
        self._base = known or ParsedFiles()
        self._look_at = look_at
        self.key = file_identity()
        self._wanted = {self.key(path) for path in paths}
        self._pointers: Mapping[TableId, str] = {}
        self._named: dict[TableId, set[str]] = {}
        self._metadata: dict[str, Mapping[str, Any]] = {}
        self._called: dict[str, str] = {}

    @property
    def tables(self) -> set[str]:
        """The names in the catalog."""
        return {str(table) for table in self._pointers}

    def metadata(self, uuid: str) -> Mapping[str, Any] | None:
        """The dates and snapshots of the table of that uuid; None when there is none."""
        return self._metadata.get(uuid) if self._called.get(uuid) in self.tables else None

    def pointer(self, uuid: str) -> str:
        """Of the table of that uuid, as it was read; "" when there is none."""
        called = self._called.get(uuid)
        return next((p for table, p in self._pointers.items() if str(table) == called), "")

    def table(self, record: TrashRecord) -> str:
        """What the record's table is called now."""
        return self._called.get(record.uuid, record.table)

    def names(self, path: str) -> bool:
        """Whether a table names the file."""
        key = self.key(path)
        return any(key in named for named in self._named.values())

    def refresh(self) -> None:
        """Read the tables whose pointer is not the one they were read at.

        Raises PermanentError when the catalog has none, or one cannot be read.
        """
        pointers = self._list()
        if not pointers:
            raise PermanentError(
                f"{self._doing}: the catalog has no tables, yet there are files of some",
                hint=NOTHING_DELETED,
            )
        for table, pointer in pointers.items():
            if self._pointers.get(table) != pointer:
                self._read(table, pointer)
        self._pointers = pointers

    def _read(self, table: TableId, pointer: str) -> None:
        doing = f"{self._doing}: {table} cannot be read, and may name what is in it"
        if not pointer:
            raise PermanentError(f"{doing}: the catalog cannot load it", hint=NOTHING_DELETED)
        try:
            closure = self._closure(table, pointer)
        except LakeError as error:
            verdict = TransientError if isinstance(error, TransientError) else PermanentError
            raise verdict(f"{doing}: {error.what}", hint=NOTHING_DELETED) from error
        self._look_at(table, closure)
        self._named[table] = self._wanted.intersection(named_by(closure, self.key))
        self._called[closure.uuid] = str(table)
        kept = ("table-uuid", "last-updated-ms", "last-sequence-number", "snapshots")
        self._metadata[closure.uuid] = {name: closure.metadata.get(name) for name in kept}

    def _closure(self, table: TableId, pointer: str) -> TableClosure:
        """Of the table at ``pointer``, or where it is by now if its writer cleaned up behind it."""
        # What one table has is not kept while the next one is read.
        known = ParsedFiles(ChainMap({}, self._base.lists), ChainMap({}, self._base.manifests))
        try:
            return read_closure(self._files, pointer, history=History.ALL, known=known)
        except PermanentError:
            moved_to = read_pointer(self._lake.catalog, table)
            if moved_to in (None, pointer):
                raise
        return read_closure(self._files, moved_to, history=History.ALL, known=known)
