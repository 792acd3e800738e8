"""The rules of a lease, over any store that can create a numbered revision if it is absent.

Acquiring, renewing and releasing each make the next revision of a name from the one that was
read. Of several who read the same revision exactly one makes the next; the others read again.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dp_assets.core.errors import LakeError, TransientError
from dp_assets.core.units import iso_utc
from dp_assets.ports.leases import Lease, Leases

FREE_MS = 0  # the expiry of a released lease


@dataclass(frozen=True, slots=True)
class Revision:
    """The state of a name after ``number`` changes; ``ttl_ms`` is what a renewal adds."""

    number: int
    lease: Lease
    ttl_ms: int


def never_gone(_owner: str) -> bool:
    """Only the expiry ends a lease."""
    return False


class PollingLeases(Leases):
    """Everything but the store.

    Args:
        now_ms: this machine's clock.
        sleep: seconds; ``time.sleep`` outside tests.
        poll_ms: how often a waiter looks.
        is_gone: whether an owner is known to be dead, so that its lease can be taken at once.
    """

    def __init__(
        self,
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        poll_ms: int = 100,
        is_gone: Callable[[str], bool] = never_gone,
    ) -> None:
        self._now_ms = now_ms
        self._sleep = sleep
        self._poll_ms = poll_ms
        self._is_gone = is_gone

    @abstractmethod
    def _newest(self, name: str) -> Revision | None:
        """The highest revision of ``name``; None when it was never acquired."""

    @abstractmethod
    def _create(self, revision: Revision) -> bool:
        """Make ``revision`` the newest of its name; False when its number is taken or passed."""

    @abstractmethod
    def _all(self) -> Iterable[Lease]:
        """The newest revision's lease of every name."""

    def acquire(self, name: str, *, owner: str, ttl_ms: int, wait_ms: int) -> Lease:
        deadline_ms = self._now_ms() + wait_ms
        while True:
            seen, now_ms = self._newest(name), self._now_ms()
            if seen is None or self._is_free(seen.lease, now_ms):
                lease = Lease(
                    name=name,
                    owner=owner,
                    fencing=seen.lease.fencing + 1 if seen else 1,
                    expires_at_ms=now_ms + ttl_ms,
                )
                if self._create(Revision(seen.number + 1 if seen else 1, lease, ttl_ms)):
                    return lease
            elif now_ms >= deadline_ms:
                raise _held_elsewhere(seen.lease)
            else:
                self._sleep(min(self._poll_ms, deadline_ms - now_ms) / 1000)

    def renew(self, lease: Lease) -> Lease:
        while True:
            seen = self._still_held(lease)
            renewed = replace(lease, expires_at_ms=self._now_ms() + seen.ttl_ms)
            if self._create(Revision(seen.number + 1, renewed, seen.ttl_ms)):
                return renewed

    def check(self, lease: Lease) -> None:
        self._still_held(lease)

    def release(self, lease: Lease) -> None:
        while True:
            seen = self._own(lease)
            if seen.lease.expires_at_ms == FREE_MS:
                return
            freed = replace(lease, expires_at_ms=FREE_MS)
            if self._create(Revision(seen.number + 1, freed, seen.ttl_ms)):
                return

    def held(self) -> tuple[Lease, ...]:
        now_ms = self._now_ms()
        alive = (lease for lease in self._all() if lease.expires_at_ms > now_ms)
        return tuple(sorted(alive, key=lambda lease: lease.name))

    def _is_free(self, lease: Lease, now_ms: int) -> bool:
        return lease.expires_at_ms <= now_ms or self._is_gone(lease.owner)

    def _own(self, lease: Lease) -> Revision:
        """The newest revision. Raises when it is of another acquisition."""
        seen = self._newest(lease.name)
        if seen is None:
            raise _lost(lease, "nothing is known of it any more")
        if (seen.lease.fencing, seen.lease.owner) != (lease.fencing, lease.owner):
            raise _lost(lease, f"{seen.lease.owner} took it over with {seen.lease.fencing}")
        return seen

    def _still_held(self, lease: Lease) -> Revision:
        seen, now_ms = self._own(lease), self._now_ms()
        expiry_ms = seen.lease.expires_at_ms
        if expiry_ms == FREE_MS:
            raise _lost(lease, "it was released")
        if expiry_ms <= now_ms:
            raise _lost(lease, f"it expired {now_ms - expiry_ms} ms ago, at {iso_utc(expiry_ms)}")
        return seen


def _held_elsewhere(lease: Lease) -> LakeError:
    return TransientError(
        f"lease {lease.name} is held by {lease.owner} until {iso_utc(lease.expires_at_ms)}",
        hint="run it again when that run has ended; if it was killed, the lease ends at that time",
    )


def _lost(lease: Lease, why: str) -> LakeError:
    return TransientError(
        f"lease {lease.name} (fencing {lease.fencing}, {lease.owner}) is lost: {why}",
        hint="run it again; what was not committed until now is left out",
    )
