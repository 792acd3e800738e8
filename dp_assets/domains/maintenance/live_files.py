"""The live files of a snapshot, and which deletes may apply to which data file.

Source: Iceberg table specification, "Scan Planning". Bounds of the paths inside a position delete
file only narrow the choice; whoever applies deletes reads the paths themselves.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dp_assets.ports.closure import KeptSnapshot, LiveEntry, TableClosure
from dp_assets.ports.recovery import FileKind


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A live entry with what its manifest says of it."""

    entry: LiveEntry
    spec_id: int
    manifest_path: str

    @property
    def place(self) -> tuple[int, str]:
        """Spec and partition; deletes do not reach beyond it, save equality deletes of no spec."""
        return self.spec_id, self.entry.partition

    @property
    def sequence_number(self) -> int:
        """Of the data; a table of version 1 has none, which counts as 0."""
        return self.entry.sequence_number or 0


def live_files(closure: TableClosure, snapshot: KeptSnapshot) -> Iterator[LiveFile]:
    """Everything live in a snapshot, data and deletes."""
    for use in snapshot.manifests:
        spec_id = closure.spec_id(use)
        for entry in closure.entries(use):
            yield LiveFile(entry, spec_id, use.path)


class Deletes:
    """The deletes of a snapshot, to be asked for one data file after the other.

    Args:
        files: the snapshot's; data files are passed over.
    """

    def __init__(self, files: Iterable[LiveFile]) -> None:
        self._by_path: defaultdict[str, list[LiveFile]] = defaultdict(list)
        self._by_place: defaultdict[tuple[int, str], list[LiveFile]] = defaultdict(list)
        self._everywhere: list[LiveFile] = []
        for file in files:
            if file.entry.kind is not FileKind.DATA:
                self._add(file)

    def _add(self, file: LiveFile) -> None:
        if file.entry.kind is FileKind.EQUALITY_DELETES and is_everywhere(file.entry):
            self._everywhere.append(file)
        elif file.entry.referenced:
            self._by_path[file.entry.referenced].append(file)
        else:
            self._by_place[file.place].append(file)

    def of(self, data: LiveFile) -> tuple[LiveFile, ...]:
        """All that may apply to ``data``, by path and place in the file."""
        found = (
            *self._by_path.get(data.entry.path, ()),
            *self._by_place.get(data.place, ()),
            *self._everywhere,
        )
        applying = (delete for delete in found if _may_apply(delete, data))
        return tuple(sorted(applying, key=lambda one: (one.entry.path, one.entry.offset)))


def is_everywhere(delete: LiveEntry) -> bool:
    """Whether an equality delete may be of no partition: it has no values in its tuple.

    A tuple of nulls may be an all-void spec or the partition of nulls; it counts as the former.
    """
    values = json.loads(delete.partition).values() if delete.partition else ()
    return all(value is None for value in values)


def deleted_rows(
    delete: LiveFile, data: LiveFile, *, rows_of: Mapping[tuple[int, str], int]
) -> float:
    """Rows of ``data`` that ``delete`` removes, as far as metadata tell.

    What is about several files is spread over the rows of their partition, ``rows_of``.
    """
    if delete.entry.kind is FileKind.EQUALITY_DELETES:
        return 0.0  # one delete may remove nothing, or everything
    path = data.entry.path
    if path == delete.entry.referenced or delete.entry.lower == delete.entry.upper == path.encode():
        return delete.entry.records
    rows = rows_of.get(data.place, 0)
    return delete.entry.records * data.entry.records / rows if rows else 0.0


def _may_apply(delete: LiveFile, data: LiveFile) -> bool:
    if delete.entry.kind is FileKind.EQUALITY_DELETES:
        return delete.sequence_number > data.sequence_number
    if delete.sequence_number < data.sequence_number:
        return False
    # Writers cut bounds to some length.
    path, lower, upper = data.entry.path.encode(), delete.entry.lower, delete.entry.upper
    below = lower is not None and path[: len(lower)] < lower
    above = upper is not None and path[: len(upper)] > upper
    return not below and not above
