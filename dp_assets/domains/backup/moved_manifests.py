"""Manifest records of a table that has moved, as plain Avro records without logical types.

Leaving one of these fields out is silent: deleted rows come back, and which engine notices differs.
Source: Iceberg table specification, "Manifests", "Manifest Lists", "Delete Formats".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.domains.backup.path_map import PathMap
from dp_assets.ports.closure import one_spelling

POSITION_DELETES = 1  # data_file.content
PATH_ID = 2147483546  # reserved field id of file_path
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MovedDeletes:
    """A delete file that names data files and was therefore written anew.

    Attributes:
        first_path: smallest data file named in it; None where there are no bounds to keep.
        split_offsets: where its row groups start; None where it has none.
    """

    location: str
    size: int
    format: str
    first_path: str | None = None
    last_path: str | None = None
    split_offsets: tuple[int, ...] | None = None


def move_entry(entry: Record, to: PathMap, deletes: Mapping[str, MovedDeletes]) -> None:
    """Map every path of a manifest entry.

    Args:
        entry: changed in place.
        to: the rule; also for entries of deleted files, which may be gone.
        deletes: the delete files that were written anew, by the one spelling of their old path.
    """
    file: Record = entry["data_file"]
    new = deletes.get(one_spelling(file["file_path"]))
    file["file_path"] = new.location if new else to(file["file_path"])
    if file.get("referenced_data_file"):
        file["referenced_data_file"] = to(file["referenced_data_file"])
    if new:
        _describe(file, new)
    if file.get("content") == POSITION_DELETES:
        _move_bounds(file, to, new)


def move_listing(record: Record, to: PathMap, lengths: Mapping[str, int]) -> None:
    """Give a manifest list's record its manifest's new path, and its length by the old one."""
    old = record["manifest_path"]
    record["manifest_path"] = to(old)
    record["manifest_length"] = lengths[one_spelling(old)]


def _describe(file: Record, new: MovedDeletes) -> None:
    """What differs in a file that was written anew; sizes of columns are optional and unknown."""
    offsets = list(new.split_offsets) if new.split_offsets else None
    for name, value in (
        ("file_size_in_bytes", new.size),
        ("file_format", new.format),
        ("split_offsets", offsets),
        ("column_sizes", None),
    ):
        if name in file:
            file[name] = value


def _move_bounds(file: Record, to: PathMap, new: MovedDeletes | None) -> None:
    """The smallest and largest path in it, by which readers choose delete files."""
    for name, path in (
        ("lower_bounds", new and new.first_path),
        ("upper_bounds", new and new.last_path),
    ):
        for bound in file.get(name) or ():
            if bound["key"] == PATH_ID:
                moved = path or to(bytes(bound["value"]).decode(errors="surrogateescape"))
                bound["value"] = moved.encode(errors="surrogateescape")
