"""Leases kept alive by a thread while their owner works, and what the owner asks before it acts."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from dp_assets.core.errors import LakeError, TransientError
from dp_assets.core.units import iso_utc
from dp_assets.ports.leases import Lease, Leases

# A renewal that fails is tried again twice before the lease ends.
RENEWALS_PER_TTL = 3
CHECK_EVERY_MS = 1000  # asking the store before each of 10,000 small tables would double the time


@dataclass(slots=True)
class _Kept:
    leases: Leases
    lease: Lease
    problem: str = ""


class Heartbeat:
    """Renews every lease it was given until its block ends; it does not release them.

    A process that was stopped past the expiry finds its lease lost when it goes on: an expired
    lease is never renewed.

    Args:
        ttl_ms: the shortest life of the leases.
        now_ms: this machine's clock.
    """

    def __init__(self, *, ttl_ms: int, now_ms: Callable[[], int]) -> None:
        self._every_s = ttl_ms / RENEWALS_PER_TTL / 1000
        self._now_ms = now_ms
        self._kept: list[_Kept] = []
        self._checked_ms = 0
        self._lock = Lock()
        self._ended = Event()
        self._thread = Thread(target=self._beat, name="lease heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def keep(self, leases: Leases, lease: Lease) -> None:
        """Renew this one too."""
        with self._lock:
            self._kept.append(_Kept(leases, lease))

    def forget(self, lease: Lease) -> None:
        """Renew this one no longer; call before it is released."""
        with self._lock:
            self._kept = [one for one in self._kept if one.lease.name != lease.name]

    def require(self) -> None:
        """Return while no lease has expired by the own clock; asks nobody, costs nothing.

        Raises TransientError.
        """
        now_ms = self._now_ms()
        for kept in self._kept:
            if kept.lease.expires_at_ms <= now_ms:
                why = f"; {kept.problem}" if kept.problem else ""
                raise TransientError(
                    f"lease {kept.lease.name} ended at {iso_utc(kept.lease.expires_at_ms)}{why}",
                    hint="run it again; what was not committed until now is left out",
                )

    def check(self) -> None:
        """Ask the store of every lease. Raises TransientError when one is lost."""
        self.require()
        for kept in list(self._kept):
            kept.leases.check(kept.lease)
        self._checked_ms = self._now_ms()

    def check_sometimes(self) -> None:
        """As :meth:`require`, and as :meth:`check` when that was some time ago."""
        self.require()
        if self._now_ms() - self._checked_ms >= CHECK_EVERY_MS:
            self.check()

    def _beat(self) -> None:
        while not self._ended.wait(self._every_s):
            with self._lock:
                kept = list(self._kept)
            for one in kept:
                self._renew(one)

    def _renew(self, kept: _Kept) -> None:
        try:
            kept.lease = kept.leases.renew(kept.lease)
            kept.problem = ""
        except LakeError as error:
            # Lost for good, or a store that does not answer now: the expiry tells which.
            kept.problem = error.what


@contextmanager
def renewed(
    leases: Leases, lease: Lease, *, ttl_ms: int, now_ms: Callable[[], int]
) -> Generator[Heartbeat, None, None]:
    """Renew one lease for the length of a block; whoever holds it releases it."""
    with Heartbeat(ttl_ms=ttl_ms, now_ms=now_ms) as heartbeat:
        heartbeat.keep(leases, lease)
        yield heartbeat
