"""Bringing a second place up to date with the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import StoppableReader, Workers
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import describe
from dp_assets.domains.backup.points import Points, is_point
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.backup.prune import Swept
from dp_assets.domains.backup.replica import (
    Documents,
    ReplicaState,
    copy_object,
    missing_objects,
    open_target,
    state,
)
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.verification import Damage
from dp_assets.domains.backup.verify_objects import Expected, expect, needing
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.usecases.backup.pruning import LEASE, clean, forget_with_marks, kept_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.prune import Guard
    from dp_assets.ports.leases import Leases
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.ports.recovery import PointRecord

FORGOTTEN = "forgotten in the repository that this is a copy of"


@dataclass(frozen=True, slots=True)
class Replication:
    """What is asked for.

    Attributes:
        keep: points that are forgotten here stay there.
        lease_ms: of the lease that is taken in the second place.
    """

    owner: str
    lease_ms: int
    keep: bool = False
    workers: int = 4


@dataclass(frozen=True, slots=True)
class Replicated:
    """What was done.

    Attributes:
        points: copied in this run.
        damages: what could not be copied because it is damaged here.
        withheld: points that need it: they are not in the second place.
        forgotten: points that are no more there either.
    """

    points: tuple[int, ...]
    objects: int
    bytes: int
    damages: tuple[Damage, ...]
    withheld: tuple[int, ...]
    forgotten: tuple[int, ...]
    swept: Swept
    state: ReplicaState


def replica_state(source: Repository, target: ObjectStore, *, now_ms: int) -> ReplicaState:
    """How far the second place is behind; reads only. Raises as opening a repository."""
    there = describe(target)
    copy = Repository(target, source.sealing, there) if there else None
    return state(Points(source), Points(copy) if copy else None, now_ms=now_ms)


def replicate(
    source: Repository,
    target: ObjectStore,
    leases: Leases,
    asked: Replication,
    *,
    now_ms: Callable[[], int],
    progress: BackupProgress | None = None,
) -> Replicated:
    """Copy what the second place lacks; ``leases`` are those of the second place.

    A damaged object is not copied, nor are the points that need it; everything else is. Killed
    anywhere, the next call goes on; the second place shows whole points only.

    Raises:
        PermanentError: the second place holds something else, or cannot be written.
        TransientError: another replication or a prune is at work there.
        DamagedObjectError: a point in the second place cannot be read, so nothing was deleted.
    """
    copy = open_target(source, target)
    lease = leases.acquire(LEASE, owner=asked.owner, ttl_ms=asked.lease_ms, wait_ms=0)
    with kept_alive(leases, lease, ttl_ms=asked.lease_ms, now_ms=now_ms) as guard:
        run = _Run(source, copy, asked, guard, progress or NobodyWatches())
        return run.run(now_ms)


class _Run:
    def __init__(
        self,
        source: Repository,
        target: Repository,
        asked: Replication,
        guard: Guard,
        progress: BackupProgress,
    ) -> None:
        self._source = source
        self._target = target
        self._asked = asked
        self._guard = guard
        self._progress = progress
        self._points = Points(source)
        self._copied = 0
        self._copied_bytes = 0

    def run(self, now_ms: Callable[[], int]) -> Replicated:
        before = Points(self._target).numbers()
        files = self._points.files()
        records, lost = self._records(n for n, names in files.items() if is_point(names))
        expected, unreadable_lists = expect(self._points, records)
        wrong = {**unreadable_lists, **self._copy_objects(records, expected)}
        hit = needing(self._points, records, frozenset(wrong))
        damages = self._damages(wrong, hit)
        withheld = {number for damage in (*lost, *damages) for number in damage.points}
        self._progress.phase("points")
        unreadable = self._copy_points(files, withheld - set(before))
        forgotten = () if self._asked.keep else self._forget(files, now_ms)
        _, swept = clean(
            self._target, self._guard, grace_ms=2 * self._asked.lease_ms, now_ms=now_ms
        )
        after = Points(self._target)
        return Replicated(
            points=tuple(n for n in after.numbers() if n not in before),
            objects=self._copied,
            bytes=self._copied_bytes,
            damages=(*lost, *damages, *unreadable),
            withheld=self._withheld(files, after),
            forgotten=forgotten,
            swept=swept,
            state=state(self._points, after, now_ms=now_ms()),
        )

    def _records(self, numbers: Iterable[int]) -> tuple[list[PointRecord], list[Damage]]:
        records: list[PointRecord] = []
        lost: list[Damage] = []
        for number in sorted(numbers):
            try:
                record = self._points.find(number)
            except DamagedObjectError as error:
                key = layout.point_key(number, layout.RECORD)
                lost.append(Damage(key, error.what, (number,)))
                continue
            if record:
                records.append(record)
        return records, lost

    def _withheld(self, files: Mapping[int, frozenset[str]], after: Points) -> tuple[int, ...]:
        there = frozenset(after.numbers())
        return tuple(
            number
            for number in sorted(files)
            if is_point(files[number])
            and number not in there
            and not self._points.is_forgotten(number)
        )

    def _copy_objects(self, records: Iterable[PointRecord], expected: Expected) -> dict[str, str]:
        """Content first, lists of references last; what is wrong with those not copied."""
        missing = missing_objects(self._target, expected)
        lists = {name for record in records for name in record.references}
        self._progress.expect(sum(_size(expected, name) for name in missing))
        self._progress.phase("objects")
        wrong = self._copy_all([n for n in missing if n not in lists], expected)
        return {**wrong, **self._copy_all([n for n in missing if n in lists], expected)}

    def _copy_all(self, names: list[str], expected: Expected) -> dict[str, str]:
        store = self._source.store

        def work(name: str, stop: Event) -> tuple[str, int, str]:
            try:
                size = copy_object(
                    store,
                    self._target.store,
                    name,
                    expected.forms(name),
                    lambda reader: StoppableReader(reader, stop, self._progress.advance),
                )
            except (MissingObjectError, DamagedObjectError) as error:
                return name, 0, error.what
            return name, size, ""

        done = Workers(work, count=self._asked.workers).run(names)
        self._copied += sum(not what for _, _, what in done)
        self._copied_bytes += sum(size for _, size, _ in done)
        return {name: what for name, _, what in done if what}

    def _damages(
        self, wrong: Mapping[str, str], hit: Mapping[str, tuple[int, ...]]
    ) -> list[Damage]:
        """Without what only points need that were forgotten while this ran."""
        found: list[Damage] = []
        for name, what in wrong.items():
            numbers = tuple(n for n in hit[name] if not self._points.is_forgotten(n))
            if numbers:
                found.append(Damage(layout.object_key(name), what, numbers))
        return found

    def _copy_points(
        self, files: Mapping[int, frozenset[str]], withheld: set[int]
    ) -> tuple[Damage, ...]:
        documents = Documents(self._source, self._target)
        damages: list[Damage] = []
        for number in sorted(files):
            self._guard.check()
            try:
                documents.copy_number(number, files[number], with_point=number not in withheld)
            except DamagedObjectError as error:
                key = layout.point_key(number, layout.MANIFEST)
                damages.append(Damage(key, error.what, (number,)))
        there = frozenset(Points(self._target).numbers())
        documents.copy_marks(layout.RECIPIENTS, numbers=there, remove=False)
        documents.copy_marks(layout.PROOFS, numbers=there, remove=False)
        documents.copy_marks(layout.PINS, numbers=there, remove=not self._asked.keep)
        return tuple(damages)

    def _forget(
        self, files: Mapping[int, frozenset[str]], now_ms: Callable[[], int]
    ) -> tuple[int, ...]:
        """Only what was forgotten on purpose: a point that vanished here stays there."""
        there = Points(self._target).numbers()
        gone = [n for n in there if layout.PRUNED in files.get(n, frozenset[str]())]
        for number in gone:
            self._guard.check()
            forget_with_marks(self._target, number, now_ms=now_ms(), reason=FORGOTTEN)
        return tuple(gone)


def _size(expected: Expected, name: str) -> int:
    return max(size or 0 for _, size in expected.forms(name))
