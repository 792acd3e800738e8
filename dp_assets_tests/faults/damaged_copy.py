"""A restored table, to be damaged on purpose: its files by kind, and edits that stay whole.

An edit leaves everything else right: who changes a manifest also changes its length in the lists,
so that a test fails for the one thing that was damaged.
"""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.avro_generic import rewrite
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.relocating_deletes import rewrite_deletes
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.recovery import FileKind, History, ReachableFile

Json = dict[str, Any]
DELETED = 2
PATH_ID = 2147483546


def elsewhere(path: str) -> str:
    """Where a file was before the restore; there is nothing any more."""
    return f"/gone{path}"


class DamagedCopy:
    """The copy whose metadata file is ``pointer``."""

    def __init__(self, pointer: str) -> None:
        self.pointer = Path(one_spelling(pointer))

    @cached_property
    def closure(self) -> TableClosure:
        """As it was restored."""
        return read_closure(LocalLakeFiles(), str(self.pointer), history=History.ALL)

    def files(self, kind: FileKind) -> list[ReachableFile]:
        """The live files of a kind, by path."""
        return [file for file in self.closure.files if file.kind is kind]

    def newest(self, kind: FileKind) -> ReachableFile:
        """A file that the head needs."""
        head = self.closure.head
        return next(f for f in self.files(kind) if head in self.closure.snapshots_of(f.path))

    def metadata(self, change: Callable[[Json], object]) -> None:
        """Edit the metadata file."""
        found = json.loads(self.pointer.read_bytes())
        change(found)
        self.pointer.write_text(json.dumps(found), encoding="utf-8")

    def entries(self, change: Callable[[Json], object]) -> None:
        """Edit every entry of every manifest."""
        for manifest in self.files(FileKind.MANIFEST):
            _rewrite(path_of(manifest.path), change)
        self.lists(lambda line: line.update(manifest_length=_size(line["manifest_path"])))

    def lists(self, change: Callable[[Json], object]) -> None:
        """Edit every line of every manifest list."""
        for listing in self.files(FileKind.MANIFEST_LIST):
            _rewrite(path_of(listing.path), change)

    def one_entry(self, path: str, change: Callable[[Json], object]) -> None:
        """Edit what the manifests say of one file."""

        def edit(entry: Json) -> None:
            if entry["data_file"]["file_path"] == path:
                change(entry)

        self.entries(edit)

    def deletes(self, kind: FileKind, to: Callable[[str], str]) -> None:
        """Write the delete files anew with other data files in them."""
        for file in self.files(kind):
            path = path_of(file.path)
            new = path.with_suffix(".new")
            rewrite_deletes(path, new, name=file.path, file_format=file.format, to=to)
            new.replace(path)
            self._new_size(file.path)

    def rows(self, path: str, change: Callable[[pa.Table], pa.Table]) -> None:
        """Edit the rows of a Parquet file; field ids stay."""
        file = path_of(path)
        pq.write_table(change(pq.ParquetFile(file).read()), file)
        self._new_size(path)

    def _new_size(self, path: str) -> None:
        size = _size(path)
        self.one_entry(path, lambda e: e["data_file"].update(file_size_in_bytes=size))


def path_of(location: str) -> Path:
    """Where a file is on this disk."""
    return Path(one_spelling(location))


def move_bounds(entry: Json) -> None:
    """Bounds of position deletes as they were before the restore."""
    for name in ("lower_bounds", "upper_bounds"):
        for bound in entry["data_file"].get(name) or ():
            if bound["key"] == PATH_ID:
                bound["value"] = elsewhere(bound["value"].decode()).encode()


def move_referenced(entry: Json) -> None:
    """The data file that a deletion vector is about, as it was before the restore."""
    if entry["data_file"].get("referenced_data_file"):
        entry["data_file"]["referenced_data_file"] = elsewhere(
            entry["data_file"]["referenced_data_file"]
        )


def without(entry: Json) -> None:
    """The manifest no longer has the file."""
    entry["status"] = DELETED


def _rewrite(path: Path, change: Callable[[Json], object]) -> None:
    def edit(record: Json) -> None:
        change(record)

    path.write_bytes(rewrite(path.read_bytes(), edit, name=str(path)))


def _size(location: str) -> int:
    return path_of(location).stat().st_size
