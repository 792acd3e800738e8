"""The right to act on something, for a while, seen by every machine of the lakehouse."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dp_assets.core.errors import LakeError


@dataclass(frozen=True, slots=True)
class Lease:
    """One acquisition of a name.

    Attributes:
        name: what may be acted on, e.g. ``table/raw.flights``.
        owner: for people, with host, pid and run id.
        fencing: one more than that of the acquisition before, for ever, also across releases.
        expires_at_ms: Unix epoch, UTC, milliseconds, by the clock of the owner's machine.
    """

    name: str
    owner: str
    fencing: int
    expires_at_ms: int


class Leases(ABC):
    """All leases of one lakehouse. Safe for any number of processes and machines.

    A lease keeps out everybody who asks for it; it cannot stop an owner that was paused beyond the
    expiry. So an owner calls :meth:`check` right before every commit and every batch of deletions.
    Between that check and the commit the catalog's own compare-and-swap decides.

    Clocks: an expiry is written by one machine and judged by others. A machine whose clock is
    ahead by n seconds takes over n seconds early, one that is behind n seconds late. A takeover
    never makes two valid leases: the fencing number of the earlier one is stale from then on. But
    choose ``ttl_ms`` well above the skew of the machines plus the time between check and act.
    """

    @abstractmethod
    def acquire(self, name: str, *, owner: str, ttl_ms: int, wait_ms: int) -> Lease:
        """Take the lease, waiting at most ``wait_ms`` for its holder; an expired one is taken over.

        Not reentrant: who holds it already waits for itself. Raises TransientError naming the
        holder when it was not obtained.
        """

    @abstractmethod
    def renew(self, lease: Lease) -> Lease:
        """Extend the lease by its ttl from now, same fencing number. Raises as :meth:`check`."""

    @abstractmethod
    def check(self, lease: Lease) -> None:
        """Return while the lease is held; renewals of the same acquisition count.

        Raises TransientError when it is lost: expired, released or taken over.
        """

    @abstractmethod
    def release(self, lease: Lease) -> None:
        """Free the name. Raises TransientError when somebody else has acquired it since."""

    @abstractmethod
    def held(self) -> tuple[Lease, ...]:
        """Every lease that has not expired, by name."""


@contextmanager
def held_lease(
    leases: Leases, name: str, *, owner: str, ttl_ms: int, wait_ms: int
) -> Generator[Lease, None, None]:
    """Hold a lease for the length of a block; it is released however the block ends."""
    lease = leases.acquire(name, owner=owner, ttl_ms=ttl_ms, wait_ms=wait_ms)
    try:
        yield lease
    finally:
        # The work is done or has its own error by now. A lease that cannot be released is either
        # somebody else's already or free at its expiry.
        with suppress(LakeError):
            leases.release(lease)
