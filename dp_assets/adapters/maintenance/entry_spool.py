"""Entries of manifests on the local disk, until all are there and can be put in their order.

An entry of a table of many columns takes tens of KiB as Python has it, and one as Avro does.
"""

from collections.abc import Callable, Iterator
from typing import IO, Any

from dp_assets.adapters.maintenance.manifest_writing import Figures
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.adapters.recovery.iceberg_manifests import partition_json


class EntrySpool:
    """The entries of manifests that become one or more.

    Args:
        file: open, empty, for reading and writing; nobody else's.
        order: a sort key of a partition as JSON.
    """

    def __init__(self, file: IO[bytes], order: Callable[[str], Any]) -> None:
        self._file, self._order = file, order
        self._places: dict[str, tuple[Any, Record]] = {}
        self._kept: list[tuple[Any, int, int, Figures]] = []
        self._end = 0

    def put(self, said: Figures, entry: bytes) -> None:
        place = partition_json(said.partition)
        if place not in self._places:
            self._places[place] = (self._order(place), said.partition)
        key, partition = self._places[place]
        same = Figures(said.status, said.rows, said.sequence_number, partition)
        self._file.write(entry)
        self._kept.append((key, self._end, len(entry), same))
        self._end += len(entry)

    def in_order(self) -> Iterator[tuple[Figures, bytes]]:
        """By partition; within one as they came."""
        for _, start, size, said in sorted(self._kept, key=lambda one: one[:2]):
            self._file.seek(start)
            yield said, self._file.read(size)
