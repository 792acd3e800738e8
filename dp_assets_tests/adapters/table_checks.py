"""What must be true of any real table, and what its files say."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.manifest import DataFileContent, ManifestFile, read_manifest_list
from pyiceberg.table import Table

from dp_assets.adapters.local_files import local_path

Row = tuple[Any, ...]


def sorted_rows(table: pa.Table) -> list[Row]:
    rows = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
    return sorted(rows, key=repr)


def manifests(table: Table) -> list[ManifestFile]:
    """Of the current snapshot."""
    head = table.current_snapshot()
    return list(read_manifest_list(table.io.new_input(head.manifest_list))) if head else []


def check_files(table: Table) -> set[Path]:
    """Every file that any kept snapshot names is there in its recorded size; all of them."""
    found = {path_of(table.metadata_location)}
    found |= {path_of(entry.metadata_file) for entry in table.metadata.metadata_log}
    for snapshot in table.metadata.snapshots:
        found.add(path_of(snapshot.manifest_list))
        for manifest in read_manifest_list(table.io.new_input(snapshot.manifest_list)):
            path = path_of(manifest.manifest_path)
            assert path.stat().st_size == manifest.manifest_length
            found.add(path)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                file = path_of(entry.data_file.file_path)
                assert file.stat().st_size == entry.data_file.file_size_in_bytes
                found.add(file)
    assert all(path.stat().st_size > 0 for path in found)
    return found


def check_totals(table: Table) -> None:
    """The head's summary says what its manifests hold."""
    head = table.current_snapshot()
    assert head is not None
    assert head.summary is not None
    live = [
        entry.data_file
        for manifest in manifests(table)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        if entry.data_file.content == DataFileContent.DATA
    ]
    said = head.summary
    assert int(said["total-data-files"] or -1) == len(live)
    assert int(said["total-records"] or -1) == sum(f.record_count for f in live)
    assert int(said["total-files-size"] or -1) == sum(f.file_size_in_bytes for f in live)


def path_of(location: str) -> Path:
    path = local_path(location)
    assert path is not None
    return Path("/", str(path).lstrip("/"))
