"""The deleted rows of a group's data files, read from its delete files by our own code.

Source: Iceberg table specification, "Scan Planning": a position delete applies to the file whose
path it names, letter by letter, when that file's data is not younger than the delete.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from dp_assets.adapters.maintenance.iceberg_sql import refused
from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.ports.recovery import FileKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.ports.compaction import Group
    from dp_assets.ports.lake_files import LakeFiles


def applied_deletes(files: LakeFiles, group: Group) -> Mapping[str, BitMap64]:
    """Positions of deleted rows by path of the input; inputs without any are left out.

    Raises:
        CompactionRefusedError: there are deletes of another kind.
        PermanentError: a delete file is damaged or gone.
    """
    inputs = {file.path: file for file in group.inputs}
    found: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    for delete in group.deletes:
        if delete.kind is not FileKind.POSITION_DELETES:
            raise refused(f"files to which {delete.kind} apply")
        read = deleted_positions(files, delete.path, file_format=delete.format)
        for path, positions in read.items():
            data = inputs.get(path)
            if data is not None and data.sequence_number <= delete.sequence_number and positions:
                found[path] |= positions
    return found
