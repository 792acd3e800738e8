"""One suite for every store of leases; the races are between real processes."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dp_assets.adapters.lease_owner import is_gone
from dp_assets.adapters.leases_polling import PollingLeases, never_gone
from dp_assets.core.errors import TransientError
from dp_assets.ports.leases import Lease, Leases, held_lease
from dp_assets_tests.adapters.lease_racer import open_leases
from dp_assets_tests.services import S3

RACERS = 8
ALICE, BOB = "north pid 11 run a", "south pid 22 run b"


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000
        self.slept_ms = 0

    def now_ms(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)
        self.slept_ms += round(seconds * 1000)


@dataclass(frozen=True)
class Place:
    """Where leases are: a database (.db), a folder or a bucket."""

    address: str
    properties: dict[str, str]


@pytest.fixture(params=["leases.db", "leases", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param != "bucket":
        return Place(str(tmp_path / request.param), {})
    s3: S3 = request.getfixturevalue("s3")
    return Place(s3.url, s3.properties)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def open_store(
    place: Place, clock: Clock, *, gone: Callable[[str], bool] = never_gone
) -> PollingLeases:
    return open_leases(
        place.address, place.properties, now_ms=clock.now_ms, sleep=clock.sleep, is_gone=gone
    )


@pytest.fixture
def leases(place: Place, clock: Clock) -> Leases:
    return open_store(place, clock)


def take(leases: Leases, owner: str = ALICE, *, name: str = "t", wait_ms: int = 0) -> Lease:
    return leases.acquire(name, owner=owner, ttl_ms=1000, wait_ms=wait_ms)


def test_fencing_grows_by_one_also_across_releases_and_instances(place: Place, clock: Clock):
    got: list[int] = []
    for _ in range(30):  # more than the revisions that a folder keeps
        leases = open_store(place, clock)
        lease = take(leases)
        got.append(lease.fencing)
        leases.release(lease)
    assert got == list(range(1, 31))


def test_names_do_not_disturb_each_other(leases: Leases):
    names = ("table/raw.flights", "table/raw/flights", "..", ".", "ünï %2E", "a" * 80)
    assert [take(leases, name=name).fencing for name in names] == [1] * len(names)
    assert sorted(names) == [lease.name for lease in leases.held()]


def test_held_elsewhere_names_lease_holder_expiry_and_what_to_do(leases: Leases, clock: Clock):
    take(leases, ALICE)
    with pytest.raises(TransientError) as refused:
        take(leases, BOB, wait_ms=500)
    assert refused.value.what == f"lease t is held by {ALICE} until 2023-11-14T22:13:21Z"
    assert "run it again" in refused.value.hint
    assert clock.slept_ms == 500


def test_waits_for_a_release_and_for_no_longer(place: Place, clock: Clock):
    holder = open_store(place, clock)
    lease = take(holder, ALICE)

    class UntilReleased(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.slept_ms == 300:
                holder.release(lease)

    waiting = UntilReleased()
    assert take(open_store(place, waiting), BOB, wait_ms=900).fencing == 2
    assert waiting.slept_ms == 300


def test_the_owner_waits_for_itself(leases: Leases):
    take(leases, ALICE)
    with pytest.raises(TransientError, match="held by"):
        take(leases, ALICE)


def test_expired_is_taken_over_and_the_paused_holder_is_fenced_off(leases: Leases, clock: Clock):
    paused = take(leases, ALICE)
    clock.ms += 1000
    successor = take(leases, BOB)
    assert successor.fencing == paused.fencing + 1
    for act in (leases.check, leases.renew, leases.release):
        with pytest.raises(TransientError, match=f"{BOB} took it over with 2"):
            act(paused)
    leases.check(successor)
    assert leases.held() == (successor,)


def test_expired_is_lost_also_when_nobody_took_it(leases: Leases, clock: Clock):
    lease = take(leases)
    clock.ms += 999
    leases.check(lease)
    clock.ms += 1
    for act in (leases.check, leases.renew):
        with pytest.raises(TransientError, match="expired 0 ms ago"):
            act(lease)
    leases.release(lease)
    assert leases.held() == ()


def test_renewal_keeps_the_fencing_number_and_everyone_out(leases: Leases, clock: Clock):
    lease = take(leases, ALICE)
    clock.ms += 900
    renewed = leases.renew(lease)
    clock.ms += 900
    assert (renewed.fencing, renewed.expires_at_ms) == (1, clock.ms + 100)
    leases.check(lease)  # the first handle is the same acquisition
    with pytest.raises(TransientError, match="held by"):
        take(leases, BOB)


def test_release_by_somebody_else_is_refused(leases: Leases):
    lease = take(leases, ALICE)
    stranger = Lease(lease.name, BOB, lease.fencing, lease.expires_at_ms)
    with pytest.raises(TransientError, match="lost"):
        leases.release(stranger)
    with pytest.raises(TransientError, match="nothing is known"):
        leases.release(Lease("never", BOB, 1, 1))
    leases.check(lease)


def test_released_is_lost_and_releasing_twice_is_the_same_as_once(leases: Leases):
    lease = take(leases)
    leases.release(lease)
    leases.release(lease)
    with pytest.raises(TransientError, match="released"):
        leases.check(lease)


def test_held_lease_is_released_however_the_block_ends(leases: Leases, clock: Clock):
    hold = {"owner": ALICE, "ttl_ms": 1000, "wait_ms": 0}
    with pytest.raises(ZeroDivisionError), held_lease(leases, "t", **hold):
        raise ZeroDivisionError
    assert leases.held() == ()
    with held_lease(leases, "t", **hold):
        clock.ms += 1000
        successor = take(leases, BOB)
    assert leases.held() == (successor,)


def test_a_takeover_that_was_decided_before_a_renewal_fails(place: Place, clock: Clock):
    """Bob reads an expired lease; before he writes, Alice, whose clock is behind, renews."""
    alice = open_store(place, clock)
    lease = take(alice, ALICE)
    clock.ms += 500
    ahead = Clock()
    ahead.ms = clock.ms + 500
    bob = open_store(place, ahead)
    create = bob._create

    def late(revision):
        bob._create = create
        alice.renew(lease)
        return create(revision)

    bob._create = late
    with pytest.raises(TransientError, match=f"held by {ALICE}"):
        take(bob, BOB)
    alice.check(lease)


@contextmanager
def racers(
    place: Place, task: str, *, rounds: int, count: int, counter: Path
) -> Generator[list[Any]]:
    """What each process got; they are alive while the block runs."""
    module = "dp_assets_tests.adapters.lease_racer"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, place.address, task, str(rounds), str(counter)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            process.stdin.write(json.dumps(place.properties) + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        yield [json.loads(process.stdout.readline()) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_eight_processes_one_wins_each_name_and_they_take_turns(place: Place, tmp_path: Path):
    rounds = 5
    counter = tmp_path / "counter"
    counter.write_text("0")
    with racers(place, "race", rounds=rounds, count=RACERS, counter=counter) as got:
        won = sorted(name for one in got for name in one["won"])
        turns = sorted(fencing for one in got for fencing in one["turns"])
    assert won == list(range(rounds))
    assert turns == list(range(1, rounds * RACERS + 1))
    assert counter.read_text() == str(rounds * RACERS)


def test_the_lease_of_a_killed_process_is_taken_at_once(place: Place, tmp_path: Path):
    clock = Clock()
    clock.ms = 0  # long before every expiry
    leases = open_store(place, clock, gone=is_gone)
    with racers(place, "t", rounds=1, count=1, counter=tmp_path / "none") as got:
        assert got == [1]
        with pytest.raises(TransientError, match="held by"):
            take(leases)
    assert take(leases).fencing == 2
    assert clock.slept_ms == 0
