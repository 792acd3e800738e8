"""The objects: what the points expect, compared with one listing, and a share of them read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.hashing import Discard, HashingReader, drain
from dp_assets.domains.backup.reachable import Reachable, own_objects
from dp_assets.domains.backup.verification import GONE, is_ours
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.reachable import NeededObject
    from dp_assets.ports.object_store import ObjectInfo, ObjectStore, Reader
    from dp_assets.ports.recovery import PointRecord

As = tuple[str, int | None]  # stored SHA-256 and stored size


class Expected:
    """What points need, once per name, with the time since when.

    Content that was stored again (it was damaged, and is encrypted) has other stored bytes than
    earlier points noted. The name says that the content is the same, so each noted form is right.
    """

    def __init__(self) -> None:
        self._first: dict[str, As] = {}
        self._since_ms: dict[str, int] = {}
        self._further: dict[str, set[As]] = {}

    def add(self, one: NeededObject, *, since_ms: int) -> None:
        """Note one need; points come oldest first."""
        form = (one.stored_sha256, one.stored_size)
        first = self._first.setdefault(one.name, form)
        self._since_ms.setdefault(one.name, since_ms)
        if form != first:
            self._further.setdefault(one.name, set()).add(form)

    def forms(self, name: str) -> frozenset[As]:
        """How it may be stored."""
        first = frozenset((self._first[name],))
        return first | self._further[name] if name in self._further else first

    def since_ms(self, name: str) -> int:
        """When the oldest point that needs it was made."""
        return self._since_ms[name]

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def __len__(self) -> int:
        return len(self._first)

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)


def expect(points: Points, records: Iterable[PointRecord]) -> tuple[Expected, dict[str, str]]:
    """What ``records`` (oldest first) need, and the lists of references that cannot be read."""
    expected, unreadable = Expected(), dict[str, str]()
    reachable = Reachable(points)
    for record in records:
        since_ms = record.created_at_ms
        for one in own_objects(record):
            expected.add(one, since_ms=since_ms)
        for name in record.references:
            try:
                for one in reachable.further_listed(name):
                    expected.add(one, since_ms=since_ms)
            except DamagedObjectError as error:
                unreadable[name] = _shortly(name, error.what)
    return expected, unreadable


def needing(
    points: Points, records: Iterable[PointRecord], names: frozenset[str]
) -> dict[str, tuple[int, ...]]:
    """Which points need each of ``names``."""
    found: dict[str, list[int]] = {name: [] for name in names}
    lists: dict[str, frozenset[str]] = {}
    for record in records:
        hit = {one.name for one in own_objects(record)} & names
        for name in record.references:
            if name not in lists:
                lists[name] = _named_in(points, name) & names
            hit |= lists[name]
        for name in hit:
            found[name].append(record.number)
    return {name: tuple(numbers) for name, numbers in found.items()}


def _named_in(points: Points, references: str) -> frozenset[str]:
    try:
        return frozenset(one.name for one in Reachable(points).listed(references))
    except DamagedObjectError:
        return frozenset()


@dataclass(slots=True)
class Listed:
    """What one listing of the whole repository showed.

    Attributes:
        sizes: of the objects that are there with a right size.
        wrong: name -> what is wrong with the object.
    """

    sizes: dict[str, int] = field(default_factory=dict[str, int])
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    foreign: list[str] = field(default_factory=list[str])
    superfluous: int = 0
    superfluous_bytes: int = 0


def compare(listing: Iterable[ObjectInfo], expected: Expected) -> Listed:
    """Existence and size of everything; what nobody expects is counted or named."""
    found = Listed()
    for info in listing:
        name = layout.object_name(info.key)
        if name is None:
            if not is_ours(info.key):
                found.foreign.append(info.key)
        elif name not in expected:
            found.superfluous += 1
            found.superfluous_bytes += info.size
        elif {size for _, size in expected.forms(name)} & {info.size, None}:
            found.sizes[name] = info.size
        else:
            sizes = " or ".join(str(size) for _, size in sorted(expected.forms(name), key=str))
            found.wrong[name] = f"{info.size} bytes instead of {sizes}"
    for name in expected:
        if name not in found.sizes and name not in found.wrong:
            found.wrong[name] = GONE
    return found


def examine(
    store: ObjectStore,
    name: str,
    forms: frozenset[As],
    through: Callable[[Reader], Reader] = lambda reader: reader,
) -> str:
    """Read one object; what is wrong with it, "" for nothing. ``through`` may watch and stop."""
    try:
        with store.open(layout.object_key(name)) as reader:
            stored = HashingReader(through(reader))
            drain(stored, Discard())
    except MissingObjectError:
        return GONE
    except PermanentError as error:
        return f"it cannot be read: {error.what}"
    return judge(forms, stored.sha256, stored.size)


def examine_small(store: ObjectStore, name: str, forms: frozenset[As]) -> str:
    """As :func:`examine`, of an object that fits into memory: a third of the calls."""
    try:
        content = store.read(layout.object_key(name))
    except MissingObjectError:
        return GONE
    except PermanentError as error:
        return f"it cannot be read: {error.what}"
    return judge(forms, hashlib.sha256(content).hexdigest(), len(content))


def judge(forms: frozenset[As], sha256: str, size: int) -> str:
    """What is wrong with stored bytes, "" for nothing."""
    if (sha256, size) in forms or (sha256, None) in forms:
        return ""
    return f"{size} bytes with SHA-256 {sha256}"


def _shortly(name: str, what: str) -> str:
    return what.removeprefix(f"object {name} is damaged: ").removeprefix(f"object {name} ")
