"""A repository in a second place: what is missing there, and the order in which it comes.

Objects first, then the lists of references, then point by point the claim, the manifests and the
records: whoever looks sees whole points only, and a killed copy goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, has_checksum
from dp_assets.domains.backup.hashing import HashingReader, drain
from dp_assets.domains.backup.opening import describe
from dp_assets.domains.backup.points import Points, is_point
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.object_store import DamagedObjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dp_assets.domains.backup.verify_objects import As, Expected
    from dp_assets.ports.object_store import ObjectStore, Reader
    from dp_assets.ports.recovery import PointRecord


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How far the second place is behind.

    Attributes:
        newest_here: number of the newest point; None when there is none.
        behind: points that are here and not there.
        lag_ms: since the oldest readable one of those was made; 0 when there are none.
    """

    newest_here: int | None
    newest_there: int | None
    behind: tuple[int, ...]
    lag_ms: int


def open_target(source: Repository, target: ObjectStore) -> Repository:
    """The same repository in the second place; made when nothing is there.

    Raises:
        PermanentError: it is the same place, or holds something else.
        DamagedObjectError: what the target says of itself is damaged.
    """
    if source.store.address == target.address:
        raise PermanentError(
            f"{target.address} is the repository itself", hint="name another place"
        )
    there = describe(target)
    if there is None:
        for info in target.list(""):
            if not info.key.startswith((layout.LEASES, layout.RECIPIENTS)):
                raise PermanentError(
                    f"{target.address} is not empty: it holds {info.key}",
                    hint="choose an empty place, or one that holds a copy of this repository",
                )
    elif there.repository_id != source.description.repository_id:
        raise PermanentError(
            f"{target.address} holds repository {there.repository_id}, this is "
            f"{source.description.repository_id}",
            hint="choose an empty place, or one that holds a copy of this repository",
        )
    for key in (layout.DESCRIPTION, layout.DESCRIPTION_COPY):
        target.create(key, checked(source.description))
    return Repository(target, source.sealing, source.description)


def state(source: Points, target: Points | None, *, now_ms: int) -> ReplicaState:
    """Compare the points of two places; None: nothing is there yet."""
    here, there = source.numbers(), target.numbers() if target else ()
    behind = tuple(number for number in here if number not in there)
    oldest = next(filter(None, (_readable(source, number) for number in behind)), None)
    return ReplicaState(
        newest_here=here[-1] if here else None,
        newest_there=there[-1] if there else None,
        behind=behind,
        lag_ms=max(0, now_ms - oldest.created_at_ms) if oldest else 0,
    )


def _readable(points: Points, number: int) -> PointRecord | None:
    try:
        return points.find(number)
    except DamagedObjectError:
        return None


def missing_objects(target: Repository, expected: Expected) -> list[str]:
    """Names that the second place lacks or holds with another size."""
    there = {
        name
        for info in target.store.list(layout.OBJECTS)
        if (name := layout.object_name(info.key))
        and name in expected
        and {size for _, size in expected.forms(name)} & {info.size, None}
    }
    return [name for name in expected if name not in there]


def copy_object(
    source: ObjectStore,
    target: ObjectStore,
    name: str,
    forms: frozenset[As],
    through: Callable[[Reader], Reader] = lambda reader: reader,
) -> int:
    """Copy one object, hashed on its way, and look at its size there; the bytes copied.

    Raises:
        MissingObjectError, DamagedObjectError: the source is not as it should be; nothing was
            stored.
        PermanentError: the target holds another size than it took.
    """
    key = layout.object_key(name)
    with source.open(key) as reader, target.upload() as upload:
        stored = HashingReader(through(reader))
        drain(stored, upload)
        if not {(stored.sha256, stored.size), (stored.sha256, None)} & forms:
            raise DamagedObjectError(
                f"{source.address}/{key} is damaged: {stored.size} bytes with SHA-256 "
                f"{stored.sha256}",
                hint="'dp verify' says what it breaks",
            )
        # Durable at once: a copy that goes on after a power cut looks at names and sizes only.
        upload.commit(key, replace=True)
    if target.size(key) != stored.size:
        raise PermanentError(
            f"{target.address}/{key} has {target.size(key)} bytes instead of {stored.size}",
            hint="what it was given it did not keep: do not trust that place",
        )
    return stored.size


class Documents:
    """Copies what has a key of its own, from whichever copy of it is whole."""

    def __init__(self, source: Repository, target: Repository) -> None:
        self._source = source
        self._target = target.store
        self._points = Points(source)
        self._there = Points(target).files()

    def copy_number(self, number: int, names: frozenset[str], *, with_point: bool) -> None:
        """The claim, and the point unless that is held back; of one that is over the tombstone.

        The tombstone keeps out a copying run that was stopped for long and goes on: what it
        copied of that point may be deleted by now.
        """
        self._copy_mark(number, layout.CLAIM, names)
        if not is_point(self._there.get(number, frozenset[str]())):
            self._copy_mark(number, layout.PRUNED, names)
        if with_point and is_point(names):
            record = self._points.find(number)
            if record:
                self._copy_point(record)

    def _copy_mark(self, number: int, name: str, names: frozenset[str]) -> None:
        if name in names and not self._is_there(number, name):
            key = layout.point_key(number, name)
            content = self._source.store.read(key)
            if has_checksum(content):
                self._target.create(key, content)

    def _copy_point(self, record: PointRecord) -> None:
        suffix = layout.SEALED_SUFFIX if self._source.sealing.encrypts else ""
        files = (layout.MANIFEST + suffix, layout.MANIFEST_COPY + suffix)
        stored: bytes | None = None
        for name in files:
            if not self._is_there(record.number, name):
                stored = stored or self._points.stored_manifest(record)
                self._target.put(layout.point_key(record.number, name), stored)
        for name in (layout.RECORD, layout.RECORD_COPY):
            if not self._is_there(record.number, name):
                self._target.put(layout.point_key(record.number, name), checked(record))

    def _is_there(self, number: int, name: str) -> bool:
        return name in self._there.get(number, frozenset[str]())

    def copy_marks(self, prefix: str, *, numbers: frozenset[int], remove: bool) -> None:
        """Pins, proofs or recipients: of points that are there; what is gone here goes there.

        What cannot be read is left out, and 'dp verify' names it.
        """
        here = dict(self._marks(prefix, numbers))
        there = {info.key for info in self._target.list(prefix) if layout.number_of(info.key)}
        for key, content in here.items():
            if key not in there or self._target.read(key) != content:
                self._target.put(key, content)
        if remove:
            self._target.delete(sorted(there.difference(self._list(prefix))))

    def _list(self, prefix: str) -> Iterator[str]:
        for info in self._source.store.list(prefix):
            if layout.number_of(info.key):
                yield info.key

    def _marks(self, prefix: str, numbers: frozenset[int]) -> Iterator[tuple[str, bytes]]:
        for key in self._list(prefix):
            if prefix == layout.RECIPIENTS or layout.number_of(key) in numbers:
                content = self._source.store.read(key)
                if has_checksum(content):
                    yield key, content
