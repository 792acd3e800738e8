"""New data files of a table: named so that nothing else is, durable, gone again unless kept.

Nothing names them until a commit does. What a kill leaves behind are files that nothing names,
which the removal of orphans finds.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Self
from urllib.parse import quote
from uuid import uuid4

from pyiceberg.table.locations import ObjectStoreLocationProvider, SimpleLocationProvider

from dp_assets.adapters.local_files import local_path, make_folders, sync_folder
from dp_assets.ports.object_store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from dp_assets.ports.lake_files import LakeFiles

OBJECT_STORAGE = "write.object-storage.enabled"
# A name in a folder has at most 255 bytes on common file systems.
_LONGEST_PART = 200
_NEXT_VALUE = re.compile(r", (?=[^,=]+=)")


def data_folder(location: str, properties: Mapping[str, str], *, words: str, name: str) -> str:
    """Where a table's new files go: what its properties say, below that the partition.

    The partition's part is for people; no reader of Iceberg tables takes anything from it.

    Args:
        location: of the table.
        properties: of the table.
        words: the partition, ``month=2013-01, carrier=UA``.
        name: begins the file names; what object-storage layouts spread folders by.
    """
    provider = (
        ObjectStoreLocationProvider
        if properties.get(OBJECT_STORAGE, "").lower() == "true"
        else SimpleLocationProvider
    )
    parts = [quote(part, safe="= ")[:_LONGEST_PART] for part in _NEXT_VALUE.split(words) if part]
    path = provider(location, dict(properties)).new_data_location("/".join([*parts, name]))
    return path.rpartition("/")[0]


class NewFiles:
    """The files of one group; leaving the ``with`` statement without :meth:`keep` deletes them.

    Args:
        folder: where they go, as the table spells it.
        name: begins the name of each.
        files: writes what is not on a local disk.
        staging: where those wait to be sent that are not for a local disk.
    """

    def __init__(self, folder: str, *, name: str, files: LakeFiles, staging: Path) -> None:
        self._folder = folder
        self._files = files
        self._sent: list[str] = []
        self._kept = False
        target = local_path(folder)
        self._is_local = target is not None
        self.name = name
        self.write_to = target or staging

    def __enter__(self) -> Self:
        make_folders(self.write_to)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not (self._kept and self._is_local):
            self.clear()
        if not self._kept:
            for location in self._sent:
                self._files.delete(location)

    def clear(self) -> None:
        """Delete what was written so far on this machine."""
        for path in self.write_to.glob(f"{self.name}-*"):
            path.unlink(missing_ok=True)

    def path(self, number: int) -> Path:
        """Where the file of that number is written."""
        return self.write_to / f"{self.name}-{number}.parquet"

    def location(self, path: Path) -> str:
        """What a file that was written is called in the table."""
        return f"{self._folder}/{path.name}"

    def keep(self, paths: Iterable[Path]) -> None:
        """Make the files durable where the table is; they stay."""
        for path in paths:
            if self._is_local:
                _sync(path)
            else:
                self._send(path)
        if self._is_local:
            sync_folder(self.write_to)
        self._kept = True

    def _send(self, path: Path) -> None:
        location = self.location(path)
        with path.open("rb") as source, self._files.create(location) as target:
            self._sent.append(location)
            shutil.copyfileobj(source, target, CHUNK_BYTES)
            target.commit()


def new_name() -> str:
    """What the files of one group are called, and no others."""
    return f"compacted-{uuid4()}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
