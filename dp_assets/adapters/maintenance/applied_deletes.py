"""The rows of a group's data files that are deleted by position, read by our own code.

A position delete applies to the file whose path it names, letter by letter, when that file's data
is not younger than the delete; a vector takes the place of all of them.

Source: Iceberg table specification, "Scan Planning".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.ports.recovery import FileKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.ports.compaction import DeleteFile, Group, InputFile
    from dp_assets.ports.lake_files import LakeFiles


def applied_deletes(files: LakeFiles, group: Group) -> Mapping[str, BitMap64]:
    """Positions of deleted rows by path of the input; inputs without any are left out.

    Raises:
        PermanentError: a delete file is damaged or gone.
    """
    inputs = {file.path: file for file in group.inputs}
    found: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    for delete in group.deletes:
        if delete.kind is FileKind.POSITION_DELETES:
            read = deleted_positions(files, delete.path, file_format=delete.format)
            for path, positions in read.items():
                if positions and _applies(delete, inputs.get(path)):
                    found[path] |= positions
    return {**found, **_of_vectors(files, group, inputs)}


def _of_vectors(
    files: LakeFiles, group: Group, inputs: Mapping[str, InputFile]
) -> Mapping[str, BitMap64]:
    """Each Puffin file is read once, whatever vectors in it are live."""
    by_file: defaultdict[str, dict[Place, str]] = defaultdict(dict)
    for delete in group.deletes:
        is_vector = delete.kind is FileKind.DELETION_VECTORS
        if is_vector and _applies(delete, inputs.get(delete.referenced)):
            place = Place(delete.offset, delete.length, delete.records)
            by_file[delete.path][place] = delete.referenced
    return {
        referenced[place]: vector.positions
        for path, referenced in by_file.items()
        for place, vector in read_vectors(files, path, places=referenced).items()
    }


def _applies(delete: DeleteFile, data: InputFile | None) -> bool:
    return data is not None and data.sequence_number <= delete.sequence_number
