"""The deletes of a snapshot, to be asked for one data file after the other.

Which deletes may apply is :func:`dp_assets.ports.live_files.may_apply`'s to say; here they are
found without asking it of every pair.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from dp_assets.ports.live_files import LiveFile, Scope, may_apply
from dp_assets.ports.recovery import FileKind


class EqualityDeletes:
    """Equality deletes that apply alike, in their order: to what is older than each.

    What applies to a file is all from some place on. A table that was streamed to has thousands,
    for thousands of files, so everything that is asked of them is known of every place at once.
    """

    def __init__(self, files: Iterable[LiveFile]) -> None:
        self.files = tuple(sorted(files, key=lambda one: (one.sequence_number, one.entry.path)))
        self._numbers = [one.sequence_number for one in self.files]

    def place(self, data: LiveFile) -> int:
        """From where on they apply."""
        return bisect_right(self._numbers, data.sequence_number)

    @cached_property
    def keys(self) -> list[int]:
        """Keys in all from a place on."""
        counts = [one.entry.records for one in self.files]
        return list(accumulate(reversed(counts), initial=0))[::-1]

    def refused(self, why: Callable[[LiveFile], str]) -> list[str]:
        """By place, the first refusal from there on; "" for none. ``why`` is asked once of each."""
        found = [""]
        for one in reversed(self.files):
            found.append(why(one) or found[-1])
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Applying:
    """What may apply to a data file.

    Attributes:
        named: position deletes and vectors, by path and place in the file.
        everywhere, here: equality deletes of the whole table, and of the file's partition.
        since: the place in each from which on they apply.
    """

    named: tuple[LiveFile, ...]
    everywhere: EqualityDeletes
    here: EqualityDeletes
    since: tuple[int, int]

    @property
    def equal(self) -> tuple[LiveFile, ...]:
        """The equality deletes, the whole table's first."""
        return (*self.everywhere.files[self.since[0] :], *self.here.files[self.since[1] :])

    def keys(self, data: LiveFile, *, rows_of: Mapping[tuple[int, str] | None, int]) -> float:
        """Keys of equality deletes, spread over the rows that they are compared with.

        So many rows of ``data`` are deleted if each key finds one, as after an upsert; maybe none
        is. ``rows_of`` has the rows of all partitions together under None.
        """
        asked = ((self.everywhere, self.since[0], None), (self.here, self.since[1], data.place))
        return sum(
            deletes.keys[since] * data.entry.records / rows
            for deletes, since, place in asked
            if (rows := rows_of.get(place, 0))
        )


@dataclass(slots=True)
class Refusals:
    """Why equality deletes are not applied exactly, asked once of each.

    Attributes:
        why: of one delete; "" when it is.
    """

    why: Callable[[LiveFile], str]
    _known: dict[int, tuple[EqualityDeletes, list[str]]] = field(
        default_factory=dict[int, tuple[EqualityDeletes, list[str]]]
    )

    def of(self, applying: Applying) -> str:
        """Of the equality deletes that apply."""
        return self._from(applying.everywhere, applying.since[0]) or self._from(
            applying.here, applying.since[1]
        )

    def _from(self, deletes: EqualityDeletes, place: int) -> str:
        if id(deletes) not in self._known:
            self._known[id(deletes)] = deletes, deletes.refused(self.why)
        return self._known[id(deletes)][1][place]


_NONE = EqualityDeletes(())


class Deletes:
    """Deletes by what they are about.

    Args:
        files: the snapshot's; data files are passed over.
    """

    def __init__(self, files: Iterable[LiveFile]) -> None:
        self._by_path: defaultdict[str, list[LiveFile]] = defaultdict(list)
        self._by_scope: defaultdict[Scope, list[LiveFile]] = defaultdict(list)
        equal: defaultdict[Scope | None, list[LiveFile]] = defaultdict(list)
        for file in files:
            if file.entry.kind is FileKind.EQUALITY_DELETES:
                equal[None if file.is_global else file.scope].append(file)
            elif file.entry.kind is not FileKind.DATA:
                self._add(file)
        self._equal = {where: EqualityDeletes(found) for where, found in equal.items()}

    def _add(self, file: LiveFile) -> None:
        if file.entry.referenced:
            self._by_path[file.entry.referenced].append(file)
        else:
            self._by_scope[file.scope].append(file)

    def of(self, data: LiveFile) -> tuple[LiveFile, ...]:
        """All that may apply to ``data``: by path and place in the file, then by number."""
        found = self.applying(data)
        equal = sorted(found.equal, key=lambda one: (one.sequence_number, one.entry.path))
        return (*found.named, *equal)

    def applying(self, data: LiveFile) -> Applying:
        """The same, without a look at each equality delete.

        A vector takes the place of all position deletes of its data file.
        """
        found = (*self._by_path.get(data.entry.path, ()), *self._by_scope.get(data.scope, ()))
        applying = [delete for delete in found if may_apply(delete, data)]
        if any(one.entry.kind is FileKind.DELETION_VECTORS for one in applying):
            applying = [d for d in applying if d.entry.kind is not FileKind.POSITION_DELETES]
        applying.sort(key=lambda one: (one.entry.path, one.entry.offset))
        everywhere = self._equal.get(None, _NONE)
        here = self._equal.get(data.scope, _NONE)
        since = everywhere.place(data), here.place(data)
        return Applying(tuple(applying), everywhere, here, since)


def deleted_rows(
    delete: LiveFile, data: LiveFile, *, rows_of: Mapping[tuple[int, str] | None, int]
) -> float:
    """Rows of ``data`` that a position delete or a vector removes, as far as metadata tell.

    What is about several files is spread over the rows of their partition, ``rows_of``.
    """
    path = data.entry.path
    if path == delete.entry.referenced or delete.entry.lower == delete.entry.upper == path.encode():
        return delete.entry.records
    rows = rows_of.get(data.place, 0)
    return delete.entry.records * data.entry.records / rows if rows else 0.0
