"""Metadata files in a table's folders that the catalog does not lead to, and what they may need.

A commit that never landed leaves one; so does another catalog that has the same table, a catalog
that was put back to an earlier day, and a dropped table. What they name is no orphan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.freed import named_by
from dp_assets.domains.maintenance.orphan_files import (
    VERSION_HINT,
    is_metadata,
    metadata_version,
    table_uuid,
)
from dp_assets.domains.maintenance.orphan_rules import TableSeen, why_ahead
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.orphan_refusals import stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Set

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import ParsedFiles, TableClosure
    from dp_assets.ports.orphans import ListedFile

BEGINNING_BYTES = 4096
HINT = "nothing was changed; if that file is not needed, move it away, or let a commit land"


class ForeignMetadata:
    """The metadata files of ``closure``'s folders that it does not name."""

    def __init__(
        self,
        lake: Lakehouse,
        table: TableId,
        closure: TableClosure,
        *,
        known: ParsedFiles,
        key: Callable[[str], str],
    ) -> None:
        self._files = lake.files
        self._table = table
        self._uuid = closure.uuid
        self._seen = TableSeen.of(closure.metadata, closure.pointer)
        self._known = known
        self._key = key

    def named(self, unnamed: Mapping[str, ListedFile], named: Set[str]) -> set[str]:
        """The keys of what later metadata files name, these files included.

        Raises MaintenanceRefusedError when the table is further than the catalog shows it, or
        such a file cannot be read.
        """
        versions = {
            file.path: metadata_version(file.path)
            for file in unnamed.values()
            if is_metadata(file.path)
        }
        numbered = {path: version for path, version in versions.items() if version is not None}
        self._stop(why_ahead(numbered, self._seen))
        own = self._seen.version or 0
        later = [path for path, version in versions.items() if version is None or version > own]
        hints = [f.path for f in unnamed.values() if f.path.endswith(f"/{VERSION_HINT}")]
        found = {self._key(path) for path in (*later, *hints)}
        hinted = [path for hint in hints for path in self._hinted(hint)]
        for path in (*later, *(path for path in hinted if self._key(path) not in named)):
            found.update(self._names_of(path))
        return found

    def require_ours(self, unheld: Iterable[ListedFile]) -> None:
        """Raises MaintenanceRefusedError when one of the files is another table's metadata."""
        for file in unheld:
            if is_metadata(file.path):
                self._require_our_uuid(file.path)

    def _require_our_uuid(self, path: str) -> None:
        try:
            with self._files.open(path) as reader:
                uuid = table_uuid(reader.read(BEGINNING_BYTES))
            # Other writers may have put it anywhere in the file.
            uuid = uuid or table_uuid(self._files.read(path))
        except MissingObjectError:
            return
        if uuid and uuid != self._uuid:
            self._stop(
                f"{path} is of another table, {uuid}: dropped, or of another catalog; its files "
                "are in the same folder"
            )

    def _hinted(self, hint: str) -> Iterator[str]:
        """What a catalog of folders takes for the current metadata file."""
        folder = hint.rpartition("/")[0]
        try:
            number = self._files.read(hint).decode(errors="replace").strip()
        except MissingObjectError:
            return
        for name in (f"v{number}", number):
            path = f"{folder}/{name}.metadata.json"
            if number and self._files.stat(path):
                yield path

    def _names_of(self, path: str) -> Iterator[str]:
        self._require_our_uuid(path)
        try:
            closure = read_closure(self._files, path, history=History.ALL, known=self._known)
        except MissingObjectError as error:
            self._stop(f"{path} is newer than what the catalog shows, and not whole: {error.what}")
        except PermanentError as error:
            self._stop(f"{path} is newer than what the catalog shows: {error.what}")
        else:
            yield from named_by(closure, self._key)

    def _stop(self, why: str) -> None:
        stop(self._table, why, hint=HINT)
