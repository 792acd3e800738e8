"""What a damaged object takes from the points: which tables, which of their snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup.verification import Broken
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dp_assets.domains.backup.points import Points
    from dp_assets.ports.recovery import (
        ObjectRef,
        PointManifest,
        PointRecord,
        PointTable,
        TableContent,
    )

    # Path of a lost file -> ids of the snapshots that cannot be read without it.
    SnapshotsHit = Callable[[TableContent, frozenset[str]], Mapping[str, tuple[int, ...]]]

LIST_OF_FILES = "the list of its files"
LIST_OF_OBJECTS = "the list of its objects"


@dataclass(frozen=True, slots=True)
class _Loss:
    """A file of a table that is lost, whatever point it is looked at from."""

    name: str
    file: str
    snapshots: tuple[int, ...]


class Breakage:
    """Names tables and snapshots; needs the private key of an encrypted repository."""

    def __init__(self, points: Points, snapshots_hit: SnapshotsHit) -> None:
        self._points = points
        self._snapshots_hit = snapshots_hit
        self._losses: dict[str, tuple[_Loss, ...]] = {}

    def of(self, record: PointRecord, damaged: frozenset[str]) -> dict[str, tuple[Broken, ...]]:
        """By name of a damaged object, what is broken in that point.

        Raises:
            ConfigurationError: the private key is missing.
        """
        try:
            manifest = self._points.manifest(record)
        except ConfigurationError:
            raise
        except PermanentError:
            return {}  # both copies of the manifest are lost, and named as such
        found: dict[str, list[Broken]] = {}
        for name, broken in self._broken(manifest, damaged):
            found.setdefault(name, []).append(broken)
        return {name: tuple(broken) for name, broken in found.items()}

    def _broken(
        self, manifest: PointManifest, damaged: frozenset[str]
    ) -> Iterator[tuple[str, Broken]]:
        number = manifest.number
        for ref, what in _parts(manifest):
            if ref.name in damaged:
                yield ref.name, Broken(number, "", what)
        for table in manifest.tables:
            yield from self._broken_table(number, table, damaged)

    def _broken_table(
        self, number: int, table: PointTable, damaged: frozenset[str]
    ) -> Iterator[tuple[str, Broken]]:
        if table.references and table.references.name in damaged:
            yield table.references.name, Broken(number, table.table, LIST_OF_OBJECTS)
        for loss in self._table_losses(table, damaged):
            yield loss.name, Broken(number, table.table, loss.file, loss.snapshots)

    def _table_losses(self, table: PointTable, damaged: frozenset[str]) -> tuple[_Loss, ...]:
        """Points between which a table did not change share its content, which is read once."""
        name = table.content.name if table.content else ""
        if name not in self._losses:
            self._losses[name] = self._read_losses(table, damaged)
        return self._losses[name]

    def _read_losses(self, table: PointTable, damaged: frozenset[str]) -> tuple[_Loss, ...]:
        if table.content is None:
            return ()
        if table.content.name in damaged:
            return (_whole_table(table.content.name, table),)
        if not self._may_need(table, damaged):
            return ()
        try:
            content = self._points.content(table)
        except (MissingObjectError, DamagedObjectError):
            return (_whole_table(table.content.name, table),)
        lost = {one.file.path: one.ref.name for one in content.files if one.ref.name in damaged}
        if not lost:
            return ()
        hit = self._snapshots_hit(content, frozenset(lost))
        return tuple(_Loss(name, path, tuple(hit.get(path, ()))) for path, name in lost.items())

    def _may_need(self, table: PointTable, damaged: frozenset[str]) -> bool:
        """Told by the public list, which is smaller than the content; True when in doubt."""
        if table.references is None:
            return True
        try:
            listed = self._points.references(table.references.name)
        except PermanentError:
            return True
        return any(name in damaged for name, _, _ in listed.objects)


def _whole_table(name: str, table: PointTable) -> _Loss:
    return _Loss(name, LIST_OF_FILES, () if table.head is None else (table.head,))


def _parts(manifest: PointManifest) -> Iterator[tuple[ObjectRef, str]]:
    """What a point holds beside its tables."""
    if manifest.dump:
        for file in manifest.dump.files:
            yield file.ref, f"metastore dump: {file.path}"
    if manifest.settings:
        yield manifest.settings, "settings"
    for file in manifest.dagster:
        yield file.ref, f"storage of Dagster: {file.path}"
