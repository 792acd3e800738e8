"""Leases are renewed while their owner works, and a lost one is noticed before it acts."""

from threading import Event

import pytest

from dp_assets.adapters.objects.leases_objects import ObjectLeases
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.adapters.recovery.heartbeat import CHECK_EVERY_MS, Heartbeat
from dp_assets.core.errors import TransientError

TTL_MS = 60


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.ms = 1_000_000

    def __call__(self):
        return self.ms


class Counting(ObjectLeases):
    """Tells of renewals."""

    renewed: Event
    checks = 0

    def renew(self, lease):
        found = super().renew(lease)
        self.renewed.set()
        return found

    def check(self, lease):
        self.checks += 1
        super().check(lease)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def leases(tmp_path, clock):
    made = Counting(LocalObjectStore(tmp_path), now_ms=clock, sleep=lambda _s: None)
    made.renewed = Event()
    return made


@pytest.fixture
def heartbeat(clock):
    return Heartbeat(ttl_ms=TTL_MS, now_ms=clock)


def take(leases, owner="me"):
    return leases.acquire("backup", owner=owner, ttl_ms=TTL_MS, wait_ms=0)


def test_a_lease_lives_as_long_as_its_owner_works(leases, heartbeat, clock):
    heartbeat.keep(leases, take(leases))
    with heartbeat:
        for _ in range(3):
            clock.ms += TTL_MS - 1
            leases.renewed.clear()
            assert leases.renewed.wait(10)
        heartbeat.check()


def test_an_expired_lease_is_not_renewed_and_stops_the_owner(leases, heartbeat, clock):
    heartbeat.keep(leases, take(leases))
    clock.ms += TTL_MS
    with heartbeat, pytest.raises(TransientError, match="lease backup ended"):
        heartbeat.require()
    assert leases.held() == ()


def test_a_lease_that_another_took_stops_the_owner_when_it_asks(leases, heartbeat):
    lease = take(leases)
    heartbeat.keep(leases, lease)
    leases.release(lease)
    take(leases, owner="another")
    heartbeat.require()  # by the own clock it is still there
    with pytest.raises(TransientError, match="another took it over"):
        heartbeat.check()


def test_the_store_is_asked_now_and_then_only(leases, heartbeat, clock):
    heartbeat.keep(leases, leases.acquire("backup", owner="me", ttl_ms=60_000, wait_ms=0))
    for _ in range(5):
        heartbeat.check_sometimes()
    assert leases.checks == 1
    clock.ms += CHECK_EVERY_MS
    heartbeat.check_sometimes()
    assert leases.checks == 2


def test_a_lease_that_is_forgotten_stops_nobody(leases, heartbeat, clock):
    lease = take(leases)
    heartbeat.keep(leases, lease)
    heartbeat.forget(lease)
    clock.ms += TTL_MS
    heartbeat.check()
