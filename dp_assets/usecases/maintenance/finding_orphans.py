"""Looks for files in a table's folders that nothing names; changes nothing.

The order is what makes it right. The folders are listed first and the table is read again after
that, so that whatever a commit names meanwhile is known; a file that is written later is in no
listing. The trash is read after the table, because an expiry records its files before it commits.
Of the other tables all is read, but only when there is something left that they might name. Every
list and manifest is read at most once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.adapters.maintenance.orphan_listing import listing
from dp_assets.domains.maintenance.orphan_files import sidecar
from dp_assets.domains.maintenance.orphan_folders import (
    folders_of,
    is_below,
    outermost,
    why_too_wide,
)
from dp_assets.domains.maintenance.orphan_rules import (
    TableSeen,
    why_clocks_differ,
    why_incomplete,
    why_many,
    why_older,
    youngest_age_ms,
)
from dp_assets.usecases.maintenance.orphan_metadata import ForeignMetadata
from dp_assets.usecases.maintenance.orphan_names import Names, named_in_trash
from dp_assets.usecases.maintenance.orphan_refusals import (
    places_of_others,
    require_no_holds,
    stop,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.orphans import ListedFile
    from dp_assets.usecases.maintenance.orphan_catalog import SweptCatalog
    from dp_assets.usecases.maintenance.orphan_names import TableNow
    from dp_assets.usecases.maintenance.trash_names import NamedFiles


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a sweep found.

    Attributes:
        seen: the table when its names were read.
        files: old enough, named by nothing, oldest first.
        young_bytes: of files that nothing names either, and that a writer may still be at.
        asks: why a person is to look at them first; "" when nobody needs to.
        names: knows what all tables name, to be asked again; None when there are no files.
    """

    table: TableId
    seen: TableSeen
    files: tuple[ListedFile, ...]
    young_bytes: int
    asks: str
    names: NamedFiles | None = field(compare=False, default=None)

    @property
    def bytes(self) -> int:
        """Of ``files``."""
        return _bytes(self.files)


@dataclass(slots=True)
class _Listed:
    """What was in the folders.

    Attributes:
        missing: keys of what the table needed and the listing did not show.
        unnamed: that the table did not name when it was listed, by key.
    """

    missing: set[str]
    unnamed: dict[str, ListedFile] = field(default_factory=dict)
    named_bytes: int = 0
    newest_ms: int = 0


def find_orphans(
    lake: Lakehouse,
    table: TableId,
    *,
    age_ms: int,
    now_ms: int,
    catalog: SweptCatalog | None = None,
) -> Orphans:
    """What nothing names in the folders of ``table``.

    Args:
        lake: with an identity.
        table: in the catalog.
        age_ms: younger files are left alone; 24 hours at least, whatever it says.
        now_ms: what ages are judged by.
        catalog: of a sweep over many tables; without it all pointers are read for this one.

    Raises:
        MaintenanceRefusedError: whether files are named cannot be told for certain, and why.
        PermanentError: the table is foreign, or it, another one or the trash cannot be read.
        TransientError: the store or the catalog did not answer.
    """
    lake.require_identity(f"look for orphans of {table}")
    require_no_holds(lake, table)
    search = _Search(lake, table, now_ms=now_ms, catalog=catalog)
    return search.find(now_ms - youngest_age_ms(age_ms))


class _Search:
    """One search; every rule either lets it go on or stops it."""

    def __init__(
        self, lake: Lakehouse, table: TableId, *, now_ms: int, catalog: SweptCatalog | None
    ) -> None:
        self._lake = lake
        self._table = table
        self._now_ms = now_ms
        self._catalog = catalog
        self._key = file_identity()
        self._names = Names(lake, table, key=self._key)

    def find(self, before_ms: int) -> Orphans:
        """Those that nobody wrote to since ``before_ms``."""
        before = self._names.now()
        folders = outermost(folders_of(before.closure.metadata, before.seen.pointer), self._key)
        self._stop(why_too_wide(folders, places_of_others(self._lake, self._key)))
        listed = self._listed(before, folders)
        now = self._names.now(before)
        self._stop(why_older(before.seen, now.seen))
        self._stop(why_clocks_differ(listed.newest_ms, now.seen, now_ms=self._now_ms))
        self._stop(why_incomplete(sorted(listed.missing & now.needed)))
        foreign = ForeignMetadata(
            self._lake, self._table, now.closure, known=self._names.known, key=self._key
        )
        unnamed = listed.unnamed
        unheld = self._without(unnamed, now.named | foreign.named(unnamed, now.named))
        kept_bytes = listed.named_bytes + _bytes(unnamed.values()) - _bytes(unheld.values())
        if unheld:
            unheld = self._without(unheld, named_in_trash(self._lake, self._key))
        old = sorted(
            (file for file in unheld.values() if file.modified_ms <= before_ms),
            key=lambda file: (file.modified_ms, file.path),
        )
        young_bytes = _bytes(unheld.values()) - _bytes(old)
        names = None
        if old:
            foreign.require_ours(unheld.values())
            paths = [file.path for file in old]
            names = self._names.of_all_tables(paths, folders, catalog=self._catalog)
            old = [file for file in old if not names.names(file.path)]
        asks = why_many(old, kept_bytes=kept_bytes)
        return Orphans(self._table, now.seen, tuple(old), young_bytes, asks, names)

    def _without(
        self, files: dict[str, ListedFile], named: Collection[str]
    ) -> dict[str, ListedFile]:
        """``files`` but those that are named, or belong to one that is."""
        return {
            name: file
            for name, file in files.items()
            if name not in named
            and not ((beside := sidecar(file.path)) and self._key(beside.of) in named)
        }

    def _listed(self, table: TableNow, folders: dict[str, str]) -> _Listed:
        found = _Listed({n for n in table.needed if any(is_below(n, one) for one in folders)})
        settings = self._lake.settings
        listed = listing(settings.catalog.plain_properties(), tmp_dir=settings.tmp_dir)
        for folder in folders.values():
            for file in listed(folder):
                name = self._key(file.path)
                found.newest_ms = max(found.newest_ms, file.modified_ms)
                if name in table.named:
                    found.missing.discard(name)
                    found.named_bytes += file.size
                else:
                    found.unnamed[name] = file
        return found

    def _stop(self, why: str) -> None:
        stop(self._table, why)


def _bytes(files: Iterable[ListedFile]) -> int:
    return sum(file.size for file in files)
