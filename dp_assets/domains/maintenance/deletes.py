"""The deletes of a snapshot, to be asked for one data file after the other.

Which deletes may apply is :func:`dp_assets.ports.live_files.may_apply`'s to say; here they are
found without asking it of every pair.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping

from dp_assets.ports.live_files import LiveFile, Scope, may_apply
from dp_assets.ports.recovery import FileKind


class Deletes:
    """Deletes by what they are about.

    Args:
        files: the snapshot's; data files are passed over.
    """

    def __init__(self, files: Iterable[LiveFile]) -> None:
        self._by_path: defaultdict[str, list[LiveFile]] = defaultdict(list)
        self._by_scope: defaultdict[Scope, list[LiveFile]] = defaultdict(list)
        self._equal: defaultdict[Scope | None, list[LiveFile]] = defaultdict(list)
        self._sorted: dict[Scope, tuple[list[int], list[LiveFile]]] = {}
        for file in files:
            if file.entry.kind is not FileKind.DATA:
                self._add(file)

    def _add(self, file: LiveFile) -> None:
        if file.entry.kind is FileKind.EQUALITY_DELETES:
            self._equal[None if file.is_global else file.scope].append(file)
        elif file.entry.referenced:
            self._by_path[file.entry.referenced].append(file)
        else:
            self._by_scope[file.scope].append(file)

    def of(self, data: LiveFile) -> tuple[LiveFile, ...]:
        """All that may apply to ``data``: by path and place in the file, then by number.

        A vector takes the place of all position deletes of its data file.
        """
        found = (*self._by_path.get(data.entry.path, ()), *self._by_scope.get(data.scope, ()))
        applying = [delete for delete in found if may_apply(delete, data)]
        if any(one.entry.kind is FileKind.DELETION_VECTORS for one in applying):
            applying = [d for d in applying if d.entry.kind is not FileKind.POSITION_DELETES]
        applying.sort(key=lambda one: (one.entry.path, one.entry.offset))
        return (*applying, *self._equal_after(data))

    def _equal_after(self, data: LiveFile) -> list[LiveFile]:
        """Equality deletes; a table that was streamed to has thousands, so none is asked singly."""
        if data.scope not in self._sorted:
            both = [*self._equal.get(None, ()), *self._equal.get(data.scope, ())]
            both.sort(key=lambda one: (one.sequence_number, one.entry.path))
            self._sorted[data.scope] = [one.sequence_number for one in both], both
        numbers, deletes = self._sorted[data.scope]
        return deletes[bisect_right(numbers, data.sequence_number) :]


def deleted_rows(
    delete: LiveFile, data: LiveFile, *, rows_of: Mapping[tuple[int, str] | None, int]
) -> float:
    """Rows of ``data`` that ``delete`` removes, as far as metadata tell.

    What is about several files is spread over the rows of their partition, ``rows_of``.
    """
    if delete.entry.kind is FileKind.EQUALITY_DELETES:
        return 0.0  # see compared_keys
    path = data.entry.path
    if path == delete.entry.referenced or delete.entry.lower == delete.entry.upper == path.encode():
        return delete.entry.records
    rows = rows_of.get(data.place, 0)
    return delete.entry.records * data.entry.records / rows if rows else 0.0


def compared_keys(
    delete: LiveFile, data: LiveFile, *, rows_of: Mapping[tuple[int, str] | None, int]
) -> float:
    """Keys of an equality delete, spread over the rows that they are compared with.

    So many rows of ``data`` are deleted if each key finds one, as after an upsert; maybe none is.
    ``rows_of`` has the rows of all partitions together under None.
    """
    if delete.entry.kind is not FileKind.EQUALITY_DELETES:
        return 0.0
    rows = rows_of.get(None if delete.is_global else data.place, 0)
    return delete.entry.records * data.entry.records / rows if rows else 0.0
