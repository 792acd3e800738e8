"""Where a table's files are: the folders that its metadata names."""

from collections.abc import Iterator

from pyiceberg.io import FileIO
from pyiceberg.table.snapshots import Snapshot

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.metadata_facts import Json

PATHS = ("write.data.path", "write.metadata.path", "write.folder-storage.path")


def metadata_folders(metadata: Json, pointer: str) -> Iterator[str]:
    """The folders that the metadata file of ``pointer`` names; local ones as plain paths."""
    properties = metadata.get("properties") or {}
    named = [metadata.get("location"), *(properties.get(name) for name in PATHS)]
    for folder in (*named, pointer.rpartition("/")[0]):
        if folder:
            yield plain(folder)


def file_folders(io: FileIO, snapshot: Json) -> Iterator[str]:
    """The folders of all files of ``snapshot``, for a table whose files may be anywhere."""
    if "manifest-list" not in snapshot:
        return
    yield plain(snapshot["manifest-list"].rpartition("/")[0])
    for manifest in Snapshot.model_validate(snapshot).manifests(io):
        yield plain(manifest.manifest_path.rpartition("/")[0])
        for entry in manifest.fetch_manifest_entry(io):
            yield plain(entry.data_file.file_path.rpartition("/")[0])


def plain(location: str) -> str:
    """A local folder as DuckDB compares it, without ``file:``; others as they are."""
    path = local_path(location)
    return str(path) if path else location
