"""The tables of ``data/zoo``, unpacked; their paths are absolute, so a prefix is mapped.

@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return unpack_zoo(tmp_path)
"""

import json
import os
import tarfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader

DATA = Path(__file__).parent / "data" / "zoo"
POINTERS: dict[str, str] = json.loads((DATA / "tables.json").read_text(encoding="utf-8"))
PREFIX = os.path.commonpath(POINTERS.values())
TABLES = tuple(sorted(POINTERS))


class MappedFiles(LakeFiles):
    """Local files, except that everything below ``prefix`` is in ``folder`` instead."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self._prefix = f"{prefix}/"
        self._folder = folder
        self._files = LocalLakeFiles()

    def real(self, location: str) -> str:
        """Where a file is on this disk."""
        path = one_spelling(location)
        if not path.startswith(self._prefix):
            return path
        return f"{self._folder}/{path[len(self._prefix) :]}"

    def stat(self, location: str) -> FileStat | None:
        return self._files.stat(self.real(location))

    def read(self, location: str) -> bytes:
        return self._files.read(self.real(location))

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return self._files.open(self.real(location))

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        return self._files.create(self.real(location))

    def delete(self, location: str) -> None:
        self._files.delete(self.real(location))


@dataclass(frozen=True)
class Zoo:
    """The unpacked tables.

    Attributes:
        files: reads the tables' own paths.
        folder: where they really are.
    """

    files: MappedFiles
    folder: Path

    def table(self, name: str) -> str:
        """The pointer of a table, as the table spells it: to be read through ``files``."""
        return POINTERS[name]

    def path(self, location: str) -> Path:
        """Where a file of a table is on this disk."""
        return Path(self.files.real(location))


def unpack_zoo(folder: Path) -> Zoo:
    """Unpack all tables below ``folder``; takes 30 ms."""
    target = folder / "zoo"
    with tarfile.open(DATA / "zoo.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return Zoo(MappedFiles(PREFIX, target), target)


def expected_rows(table: str) -> dict[int, int]:
    """Snapshot id -> rows as Spark counted them."""
    expected: dict[str, str] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
    start = f"zoo.{table} snapshot "
    return {
        int(key.removeprefix(start)): int(value.partition(":")[0])
        for key, value in expected.items()
        if key.startswith(start)
    }
