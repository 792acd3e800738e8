"""Removing objects that no point needs, in two steps that a backup can never lose a race to.

First a list of condemned objects is written. Later, in another run, under the lease that backups
take too, the points are read again and what is still needed by none is deleted. A backup takes a
condemned object for absent and stores it again, and its lease keeps the deletion away meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.units import HOUR_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, unchecked
from dp_assets.domains.backup.reachable import needed_names
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.repository import Repository

# A backup may trust an object that was condemned after it looked; its lease ends within this.
MIN_GRACE_MS = HOUR_MS
BATCH = 500


@dataclass(frozen=True, slots=True)
class Condemned:
    """Objects that no point needed when the list was made."""

    number: int
    at_ms: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What no point needs now."""

    names: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What was deleted, and what waits until its list is old enough."""

    deleted: int
    spared: int
    waiting: int


def find_unneeded(
    repository: Repository,
    points: Points,
    *,
    leaving: Collection[int] = (),
    given_up: Collection[int] = (),
) -> Unneeded:
    """List the objects and leave out the needed ones.

    Args:
        repository: where the objects are.
        points: of that repository.
        leaving: points that are about to be forgotten.
        given_up: points that are about to be forgotten although they cannot be read.

    Raises:
        DamagedObjectError: a point cannot be read, so nothing can be called superfluous.
    """
    # Listed first: what is stored after the listing cannot be condemned by it.
    listed = {
        name: info.size
        for info in repository.store.list(layout.OBJECTS)
        if (name := layout.object_name(info.key))
    }
    needed = needed_names(points, leaving=leaving, given_up=given_up)
    names = sorted(name for name in listed if name not in needed)
    return Unneeded(tuple(names), sum(listed[name] for name in names))


def condemn(repository: Repository, unneeded: Unneeded, *, now_ms: int) -> Condemned | None:
    """Write down what is superfluous and not yet written down; None when there is nothing new."""
    known = condemned_lists(repository)
    already = {name for one in known for name in one.names}
    names = tuple(name for name in unneeded.names if name not in already)
    if not names:
        return None
    number = layout.next_number(one.number for one in known)
    while not repository.store.create(
        layout.numbered_key(layout.CONDEMNED, number), checked(Condemned(number, now_ms, names))
    ):
        number += 1
    return Condemned(number, now_ms, names)


def condemned_lists(repository: Repository) -> tuple[Condemned, ...]:
    """Every list that can be read.

    A damaged one is no danger: nothing is ever deleted because of it. What it named is condemned
    again by the next prune.
    """
    return tuple(one for _, one in _lists(repository) if one)


def condemned_names(repository: Repository) -> frozenset[str]:
    """What a backup must store again if it needs it."""
    return frozenset(name for one in condemned_lists(repository) for name in one.names)


def _lists(repository: Repository) -> Iterator[tuple[str, Condemned | None]]:
    for info in repository.store.list(layout.CONDEMNED):
        if number := layout.number_of(info.key):
            try:
                content = repository.store.read(info.key)
                yield info.key, read_condemned(content, number, about=info.key)
            except MissingObjectError:
                continue  # swept meanwhile
            except DamagedObjectError:
                yield info.key, None


def read_condemned(content: bytes, number: int, *, about: str) -> Condemned:
    """One list. Raises DamagedObjectError, also when it is that of another number."""
    return unchecked(Condemned, content, about=about, is_right=lambda one: one.number == number)


@dataclass(frozen=True, slots=True)
class Guard:
    """The lease that backups take, as held by who deletes.

    Attributes:
        check: raises when it is lost; asks the store, so it is called before every batch.
        require: raises when it has expired by the own clock; called before every object, so that
            a process that was stopped within a batch deletes nothing when it goes on.
    """

    check: Callable[[], None]
    require: Callable[[], None]


def sweep(
    repository: Repository, points: Points, *, now_ms: int, grace_ms: int, guard: Guard
) -> Swept:
    """Delete what was condemned at least ``grace_ms`` ago and is still needed by no point.

    Raises:
        DamagedObjectError: a point cannot be read.
        TransientError: the lease is lost.
    """
    grace_ms = max(grace_ms, MIN_GRACE_MS)
    found = tuple(_lists(repository))
    lists = [one for _, one in found if one]
    due = [one for one in lists if one.at_ms + grace_ms <= now_ms]
    waiting = sum(len(one.names) for one in lists) - sum(len(one.names) for one in due)
    deleted = spared = 0
    needed = needed_names(points) if due else set[str]()
    for one in due:
        doomed = [name for name in one.names if name not in needed]
        spared += len(one.names) - len(doomed)
        for start in range(0, len(doomed), BATCH):
            guard.check()
            repository.store.delete(_guarded(doomed[start : start + BATCH], guard))
        guard.check()
        repository.store.delete([layout.numbered_key(layout.CONDEMNED, one.number)])
        deleted += len(doomed)
    repository.store.delete(key for key, one in found if one is None)
    return Swept(deleted, spared, waiting)


def _guarded(names: Iterable[str], guard: Guard) -> Iterator[str]:
    for name in names:
        guard.require()
        yield layout.object_key(name)
