"""Retention: points that nothing keeps are forgotten; what only they needed is deleted later."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.object_store_local import LocalObjectStore, remove_leftovers
from dp_assets.adapters.recovery.heartbeat import renewed
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError
from dp_assets.core.units import DAY_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.pins import pinned_numbers
from dp_assets.domains.backup.point_ages import point_ages
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.prune import Guard, Swept, Unneeded, condemn, find_unneeded, sweep
from dp_assets.domains.backup.retention import Kept, Rules, plan_retention
from dp_assets.domains.backup.verify_documents import unfinished, vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.leases import Lease, Leases

LEASE = "backup"  # the one that backups take
UPLOAD_LEFTOVER_MS = DAY_MS  # an upload that nobody wrote to for so long is a killed run's
GIVEN_UP, NOT_KEPT, NEVER_FINISHED = "given up by hand", "kept by no rule", "never finished"


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is asked for.

    Attributes:
        given_up: points to forget whatever the rules say, readable or not.
        owner: names this run in the lease.
        lease_ms: how long the lease of a backup is; what is condemned waits twice as long.
    """

    rules: Rules
    owner: str
    lease_ms: int
    given_up: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What would happen.

    Attributes:
        points: every point with the reasons why it stays; without any it goes.
        unneeded: objects that no point will need.
    """

    points: tuple[Kept, ...]
    unneeded: Unneeded

    @property
    def leaving(self) -> tuple[int, ...]:
        """The points that go."""
        return tuple(one.number for one in self.points if not one.reasons)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was done; ``postponed`` says why nothing was deleted yet, "" when that was possible."""

    forgotten: tuple[int, ...]
    condemned: int
    swept: Swept
    postponed: str


def require_own(repository: Repository, lakehouse_id: str) -> None:
    """Raises PermanentError when the points are of another lakehouse.

    Raises DamagedObjectError when the newest point cannot be read.
    """
    points = Points(repository)
    numbers = points.numbers()
    found = points.find(numbers[-1]) if numbers else None
    if found and found.lakehouse_id != lakehouse_id:
        raise PermanentError(
            f"{repository.store.address} holds the points of lakehouse {found.lakehouse_id}, this "
            f"is lakehouse {lakehouse_id}",
            hint="name it with --repository URL if its points are to be forgotten all the same",
        )


def plan_prune(repository: Repository, asked: Pruning) -> PrunePlan:
    """What a prune would do; changes nothing.

    Raises:
        DamagedObjectError: a point cannot be read, so nothing may be deleted.
        ConfigurationError: a point to give up does not exist.
    """
    points = Points(repository)
    _require_there(repository, points, asked.given_up)
    ages = point_ages(repository, points, given_up=asked.given_up)
    kept = plan_retention(ages, asked.rules)
    leaving = {one.number for one in kept if not one.reasons}
    unneeded = find_unneeded(repository, points, leaving=leaving, given_up=asked.given_up)
    everything = (*kept, *(Kept(number, ()) for number in asked.given_up))
    ordered = tuple(sorted(everything, key=lambda one: one.number))
    return PrunePlan(ordered, unneeded)


def prune(
    repository: Repository, leases: Leases, asked: Pruning, *, now_ms: Callable[[], int]
) -> Pruned:
    """Forget what the rules do not keep, condemn what only that needed, delete what is due.

    Safe while a backup runs: deleting is then left to the next prune. Killed anywhere, the next
    one goes on.

    Raises:
        DamagedObjectError: a point cannot be read; nothing was changed.
        ConfigurationError: a point to give up does not exist.
    """
    plan = plan_prune(repository, asked)
    forgotten = tuple(
        number
        for number in plan.leaving
        if _forget(repository, number, asked=asked, now_ms=now_ms())
    )
    try:
        lease = leases.acquire(LEASE, owner=asked.owner, ttl_ms=asked.lease_ms, wait_ms=0)
    except TransientError as error:
        return Pruned(forgotten, 0, Swept(0, 0, 0), error.what)
    with kept_alive(leases, lease, ttl_ms=asked.lease_ms, now_ms=now_ms) as guard:
        _give_up_unfinished(repository, guard, now_ms=now_ms)
        condemned, swept = clean(repository, guard, grace_ms=2 * asked.lease_ms, now_ms=now_ms)
    return Pruned(forgotten, condemned, swept, "")


@contextmanager
def kept_alive(
    leases: Leases, lease: Lease, *, ttl_ms: int, now_ms: Callable[[], int]
) -> Generator[Guard, None, None]:
    """Renew a lease for the length of a block, and release it however that ends."""
    try:
        with renewed(leases, lease, ttl_ms=ttl_ms, now_ms=now_ms) as heartbeat:
            yield Guard(heartbeat.check, heartbeat.require)
    finally:
        with suppress(LakeError):  # somebody else's already, or free at its expiry
            leases.release(lease)


def clean(
    repository: Repository, guard: Guard, *, grace_ms: int, now_ms: Callable[[], int]
) -> tuple[int, Swept]:
    """Condemn what no point needs, delete what was condemned long enough ago.

    The caller holds the lease of backups: what a running backup has stored would look unneeded,
    and it would have to store it again.

    Raises:
        DamagedObjectError: a point cannot be read.
        TransientError: the lease is lost.
    """
    points = Points(repository)
    _finish_forgetting(repository, points, guard, now_ms=now_ms)
    unneeded = find_unneeded(repository, points)
    guard.check()
    condemned = condemn(repository, unneeded, now_ms=now_ms())
    swept = sweep(repository, points, now_ms=now_ms(), grace_ms=grace_ms, guard=guard)
    return len(condemned.names) if condemned else 0, swept


def forget_with_marks(repository: Repository, number: int, *, now_ms: int, reason: str) -> None:
    """Remove a point, its pin and its proofs. Killed in between, a second call does the rest."""
    Points(repository).forget(number, now_ms=now_ms, reason=reason)
    store = repository.store
    proofs = [info.key for info in store.list(layout.proofs_of(number))]
    store.delete([layout.numbered_key(layout.PINS, number), *proofs])


def _require_there(repository: Repository, points: Points, numbers: frozenset[int]) -> None:
    there = {*points.numbers(), *vanished(repository, points.files())}
    for number in sorted(numbers - there):
        raise ConfigurationError(f"there is no recovery point {number}", hint="see 'dp points'")


def _forget(repository: Repository, number: int, *, asked: Pruning, now_ms: int) -> bool:
    """False when it was pinned meanwhile."""
    by_hand = number in asked.given_up
    if not by_hand and number in pinned_numbers(repository.store):
        return False
    reason = GIVEN_UP if by_hand else NOT_KEPT
    forget_with_marks(repository, number, now_ms=now_ms, reason=reason)
    return True


def _give_up_unfinished(repository: Repository, guard: Guard, *, now_ms: Callable[[], int]) -> None:
    """A tombstone for every number that was claimed and came to nothing.

    It also keeps out a backup that was stopped, lost its lease and goes on later: what that one
    commits is no point, for what it relies on may be deleted from here on.
    """
    for number in unfinished(repository, Points(repository).files()):
        guard.check()
        forget_with_marks(repository, number, now_ms=now_ms(), reason=NEVER_FINISHED)
    if isinstance(repository.store, LocalObjectStore):
        remove_leftovers(Path(repository.store.address), before_ms=now_ms() - UPLOAD_LEFTOVER_MS)


def _finish_forgetting(
    repository: Repository, points: Points, guard: Guard, *, now_ms: Callable[[], int]
) -> None:
    """What a run that was killed while it forgot a point has left."""
    for number, names in points.files().items():
        if layout.PRUNED in names and names - {layout.PRUNED, layout.CLAIM}:
            guard.check()
            forget_with_marks(repository, number, now_ms=now_ms(), reason=NOT_KEPT)
