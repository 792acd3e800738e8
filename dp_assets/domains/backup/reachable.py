"""What the points of a repository need, by its public part alone: no key is necessary."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.domains.backup.documents import DAMAGED
from dp_assets.ports.object_store import DamagedObjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator

    from dp_assets.domains.backup.points import Points
    from dp_assets.ports.recovery import PointRecord


@dataclass(frozen=True, slots=True)
class NeededObject:
    """An object as a point expects it; ``stored_size`` is None for a list of references."""

    name: str
    stored_sha256: str
    stored_size: int | None


class Reachable:
    """Walks from points to objects; remembers the names of the lists it has read, not the lists."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._walked: set[str] = set()

    def objects(self, record: PointRecord) -> Iterator[NeededObject]:
        """Everything that the point needs; an object that tables share comes more than once.

        Raises:
            DamagedObjectError: a list of references is damaged or gone.
        """
        yield from own_objects(record)
        for name in record.references:
            yield from self.listed(name)

    def further_objects(self, record: PointRecord) -> Iterator[NeededObject]:
        """As :meth:`objects`, without the lists that this walk has been through already."""
        yield from own_objects(record)
        for name in record.references:
            yield from self.further_listed(name)

    def further_listed(self, references: str) -> Iterator[NeededObject]:
        """As :meth:`listed`; nothing when this walk has been through the list already."""
        if references not in self._walked:
            yield from self.listed(references)
            self._walked.add(references)

    def listed(self, references: str) -> Iterator[NeededObject]:
        """What one list of references names. Raises DamagedObjectError."""
        for name, stored_sha256, stored_size in self._points.references(references).objects:
            yield NeededObject(name, stored_sha256, stored_size)


def own_objects(record: PointRecord) -> Iterator[NeededObject]:
    """What the record itself names, the lists of references among it."""
    for name, stored_sha256, stored_size in record.objects:
        yield NeededObject(name, stored_sha256, stored_size)
    for name in record.references:
        yield NeededObject(name, name, None)


def needed_names(
    points: Points,
    *,
    leaving: Collection[int] = (),
    given_up: Collection[int] = (),
) -> set[str]:
    """The names of all objects that any point needs.

    Args:
        points: of the repository.
        leaving: points whose needs do not count; they must be readable all the same.
        given_up: points that are not even looked at.

    Raises:
        DamagedObjectError: what a point needs cannot be told. Whoever deletes must stop then.
    """
    reachable = Reachable(points)
    needed: set[str] = set()
    # Those that leave come last: a list that a staying point shares was collected before.
    for number in sorted(points.numbers(), key=lambda n: (n in leaving, n)):
        if number in given_up:
            continue
        with naming_point(number):
            record = points.find(number)
            if record is None and not points.is_forgotten(number):
                raise DamagedObjectError("it vanished while it was read", hint=DAMAGED)
            for one in reachable.further_objects(record) if record else ():
                if number not in leaving:
                    needed.add(one.name)
    return needed


@contextmanager
def naming_point(number: int) -> Generator[None, None, None]:
    """Say which point it is that cannot be read."""
    try:
        yield
    except DamagedObjectError as error:
        raise DamagedObjectError(
            f"recovery point {number} cannot be read, so nothing may be deleted: {error.what}",
            hint="'dp verify --mend-from URL' puts it back from a replica; "
            f"'dp prune --forget {number}' gives that point up",
        ) from error
