"""What a repository holds of a table's files, whichever point holds it."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from dp_assets.domains.backup.points import Points
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.usecases.backup.restore_planning import newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import PointTable, StoredFile

Copies = dict[str, tuple["StoredFile", ...]]
NAME_OF_ANY_TABLE = re.compile(r"v\d+(\.gz)?\.metadata\.json(\.gz)?")


class StoredCopies:
    """Copies of files by the table's uuid and the file's path, the oldest copy first.

    A table's file is written once and never changed. So what was copied first is what it is, even
    when a later point took the damaged file for a new one.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._points = Points(repository)
        self.problems: list[str] = []

    def of(self, uuid: str, table: TableId) -> Copies:
        """Different copies of every file of the table, by ``one_spelling`` of its path."""
        found: defaultdict[str, dict[str, StoredFile]] = defaultdict(dict)
        for line in self._lines.get(uuid or str(table), {}).values():
            for stored in self._files(line):
                found[one_spelling(stored.file.path)].setdefault(stored.ref.sha256, stored)
        return {path: tuple(copies.values()) for path, copies in found.items()}

    def metadata(self, table: TableId, pointer: str) -> StoredFile | None:
        """The copy of a metadata file whose table cannot be known from itself.

        Names that any table may have (``v7.metadata.json``) prove nothing.
        """
        if NAME_OF_ANY_TABLE.fullmatch(pointer.rpartition("/")[2]):
            return None
        wanted = one_spelling(pointer)
        for lines in self._lines.values():
            for line in lines.values():
                if line.table == str(table) and one_spelling(line.pointer) == wanted:
                    for stored in self._files(line):
                        if one_spelling(stored.file.path) == wanted:
                            return stored
        return None

    @cached_property
    def _lines(self) -> Mapping[str, Mapping[str, PointTable]]:
        """By table, its different contents, oldest first."""
        found: defaultdict[str, dict[str, PointTable]] = defaultdict(dict)
        for record in reversed(list(newest_first(self._points))):
            try:
                manifest = self._points.manifest(record)
            except (DamagedObjectError, MissingObjectError) as error:
                self.problems.append(error.what)
                continue
            for line in manifest.tables:
                if line.content is not None:
                    found[line.uuid or line.table].setdefault(line.content.name, line)
        return found

    def _files(self, line: PointTable) -> tuple[StoredFile, ...]:
        try:
            return self._points.content(line).files
        except (DamagedObjectError, MissingObjectError) as error:
            self.problems.append(error.what)
            return ()
