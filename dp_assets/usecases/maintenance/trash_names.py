"""Which of some files any table of the lakehouse names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.domains.maintenance.freed import named_by
from dp_assets.ports.recovery import History

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord

NOTHING_DELETED = "nothing was deleted; look at it with 'dp doctor', then run this again"


class NamedFiles:
    """The files of ``due`` that tables name: every table is read, one at a time in memory."""

    def __init__(self, lake: Lakehouse, due: Sequence[TrashRecord]) -> None:
        self._lake = lake
        self._files = lake.files
        self.key = file_identity()
        self._wanted = {self.key(file.path) for one in due for file in one.files}
        self._pointers: dict[TableId, str] = {}
        self._named: dict[TableId, set[str]] = {}
        self._metadata: dict[str, Mapping[str, Any]] = {}
        self._called: dict[str, str] = {}

    @property
    def tables(self) -> set[str]:
        """The names in the catalog."""
        return {str(table) for table in self._pointers}

    def metadata(self, uuid: str) -> Mapping[str, Any] | None:
        """The dates and snapshots of the table of that uuid; None when there is none."""
        return self._metadata.get(uuid)

    def table(self, record: TrashRecord) -> str:
        """What the record's table is called now."""
        return self._called.get(record.uuid, record.table)

    def names(self, file: TrashedFile) -> bool:
        """Whether a table names the file."""
        key = self.key(file.path)
        return any(key in named for named in self._named.values())

    def refresh(self) -> None:
        """Read the tables whose pointer is not the one they were read at.

        Raises PermanentError when the catalog has none, or one cannot be read.
        """
        pointers = list_pointers(self._lake.catalog)
        if not pointers:
            raise PermanentError(
                "empty the trash: the catalog has no tables, yet there is trash of some",
                hint=NOTHING_DELETED,
            )
        for table, pointer in pointers.items():
            if self._pointers.get(table) != pointer:
                self._read(table, pointer)
        self._pointers = pointers

    def _read(self, table: TableId, pointer: str) -> None:
        doing = f"empty the trash: {table} cannot be read, and may name what is in it"
        if not pointer:
            raise PermanentError(f"{doing}: the catalog cannot load it", hint=NOTHING_DELETED)
        try:
            closure = read_closure(self._files, pointer, history=History.ALL)
        except LakeError as error:
            verdict = TransientError if isinstance(error, TransientError) else PermanentError
            raise verdict(f"{doing}: {error.what}", hint=NOTHING_DELETED) from error
        self._named[table] = self._wanted.intersection(named_by(closure, self.key))
        self._called[closure.uuid] = str(table)
        kept = ("last-updated-ms", "snapshots")
        self._metadata[closure.uuid] = {name: closure.metadata.get(name) for name in kept}
