"""One operation on a table at a time, whoever does it; the second one is told who is at it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.core.units import DAY_MS, MINUTE_MS, iso_utc, now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance.asking import due_work
from dp_assets.usecases.maintenance.deciding import explain
from dp_assets.usecases.maintenance.holding import alone, contention
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.maintaining import PLANNERS, maintain, plan
from dp_assets.usecases.maintenance.measuring import measure_health
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.adapters.real_lakehouse import (
    ORDERS,
    make_lakehouse,
    pointer_of,
    rows_of,
)
from dp_assets_tests.usecases.backup.backups import append

ELSEWHERE = "otherhost pid 7 run compaction of raw.orders [x 1]"
NAME = f"maintenance/{ORDERS}"
KEEP = {"dp.maintenance.expiry.keep_days": "0", "dp.maintenance.expiry.keep_snapshots": "2"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return PreparedLake.make(tmp_path_factory.mktemp("holding"), seven_commits)


@pytest.fixture
def settings(prepared):
    prepared.put_back()
    return prepared.settings


@pytest.fixture
def lake(settings):
    with opened(settings) as lake:
        yield lake


def seven_commits(folder):
    settings = make_lakehouse(folder, commits=7)
    with (
        opened(settings) as lake,
        lake.catalog.load_table(ORDERS.identifier).transaction() as change,
    ):
        change.set_properties(KEEP)
    return settings


def take(lake, *, ttl_ms: int):
    """By a machine that is not this one: nobody knows whether it lives."""
    return lake.leases.acquire(NAME, owner=ELSEWHERE, ttl_ms=ttl_ms, wait_ms=0)


def planned(lake, operation=Operation.COMPACTION):
    return plan(lake, ORDERS, operation, now_ms=now_ms() + 5)


def test_the_second_one_is_told_who_is_at_it_and_changes_nothing(settings, lake):
    work = planned(lake)
    take(lake, ttl_ms=MINUTE_MS)
    before = pointer_of(settings)
    with pytest.raises(TransientError) as raised:
        maintain(lake, work, run_id="second")
    assert f"raw.orders is being maintained by {ELSEWHERE} until 20" in raised.value.what
    assert pointer_of(settings) == before
    assert read_journal(lake, now_ms=now_ms()).of(ORDERS) == []


def test_why_says_it(lake):
    lease = take(lake, ttl_ms=MINUTE_MS)
    found = explained(lake, now_ms())
    assert found.left == ()
    ends = f"its lease ends at {iso_utc(lease.expires_at_ms)} unless it is renewed"
    for decision in found.decisions:
        assert not decision.due
        assert f"it is being maintained by {ELSEWHERE}, {ends}" in decision.reasons


def owner_that_was_killed() -> str:
    code = "from dp_assets.adapters.lease_owner import owner_text; print(owner_text('r'), end='')"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", [NAME, f"table/{ORDERS}"])
def test_a_dead_process_of_this_machine_keeps_nothing_from_being_due(lake, name):
    owner, now = owner_that_was_killed(), now_ms()
    with lake.catalog.load_table(ORDERS.identifier).transaction() as change:
        change.set_properties({"dp.maintenance.compaction.when": "small_files >= 5"})
    before = explained(lake, now)
    lease = lake.leases.acquire(name, owner=owner, ttl_ms=DAY_MS, wait_ms=0)
    found = explained(lake, now)
    assert found.left == (lease,)
    assert found.decisions == before.decisions
    assert Operation.EXPIRY in {d.operation for d in found.decisions if d.due}
    (ask,) = (one for one in due_work(lake, now_ms=now).asks if one.table == ORDERS)
    work = plan(lake, ORDERS, ask.operation, now_ms=now)
    assert maintain(lake, work, run_id="next").outcome is Outcome.DONE


def test_a_hold_of_a_dead_process_holds_until_it_ends(lake):
    """Who makes the recovery point ready after all needs the same files."""
    owner, now = owner_that_was_killed(), now_ms()
    lake.leases.acquire("hold/recovery-point/3", owner=owner, ttl_ms=DAY_MS, wait_ms=0)
    found = explained(lake, now)
    assert found.left == ()
    (expiry,) = (d for d in found.decisions if d.operation is Operation.EXPIRY)
    assert "until hold/recovery-point/3 is done" in " ".join(expiry.reasons)


def explained(lake, now):
    return explain(
        lake,
        str(ORDERS),
        health=lambda table: measure_health(lake, table, now_ms=now),
        attempts=lambda _: (),
        now_ms=now,
    )


def test_a_killed_one_blocks_no_longer_than_its_lease(lake):
    take(lake, ttl_ms=1)
    while any(one.name == NAME for one in lake.leases.held()):
        pass  # a millisecond
    assert maintain(lake, planned(lake), run_id="next").outcome is Outcome.DONE


def test_one_at_work_keeps_the_others_out_and_lets_writers_in(settings, lake, monkeypatch):
    work, seen = planned(lake), list[str]()
    inner = type(work.work).carry_out

    def carry_out(self, *given):
        with opened(settings) as other:
            with pytest.raises(TransientError, match="is being maintained by") as raised:
                maintain(other, planned(other, Operation.EXPIRY), run_id="other")
            seen.append(raised.value.what)
        append(settings, first=1000)
        return inner(self, *given)

    monkeypatch.setattr(type(work.work), "carry_out", carry_out)
    assert maintain(lake, work, run_id="first").outcome is Outcome.DONE
    assert len(seen) == 1
    assert rows_of(settings) == 80
    assert lake.leases.held() == ()


@pytest.mark.parametrize("operation", list(PLANNERS))
def test_one_that_lost_its_right_commits_nothing(settings, lake, monkeypatch, operation):
    """Stopped past its lease, as by a suspended machine: another one took over since."""
    data = lake.catalog.load_table(ORDERS.identifier).location()
    stray(data)
    late_ms = now_ms() + 10 * 24 * 60 * MINUTE_MS
    work = plan(lake, ORDERS, operation, now_ms=late_ms)
    if not work.has_work:
        pytest.fail(f"there is nothing to do for {operation}")
    inner = type(work.work).carry_out

    def carry_out(self, *given):
        overtake(lake)
        return inner(self, *given)

    monkeypatch.setattr(type(work.work), "carry_out", carry_out)
    before = pointer_of(settings)
    with pytest.raises(TransientError, match=f"lease {NAME} .* is lost"):
        maintain(lake, work, run_id="stopped")
    assert pointer_of(settings) == before
    assert rows_of(settings) == 70


def overtake(lake) -> None:
    """Another machine holds the lease, with the next fencing number."""
    (held,) = (one for one in lake.leases.held() if one.name == NAME)
    lake.leases.release(held)
    take(lake, ttl_ms=MINUTE_MS)


def stray(location: str) -> None:
    path = Path(location.removeprefix("file://")) / "data" / "stray.parquet"
    path.write_bytes(b"nobody names it")


def test_contention_is_said(settings, lake):
    before = pointer_of(settings)
    assert contention(lake, ORDERS, before) == ""
    append(settings, first=1000)
    assert "another writer committed to raw.orders" in contention(lake, ORDERS, before)


def test_it_is_free_again_after_a_failure(lake):
    def fails() -> None:
        with alone(lake, ORDERS, doing="test"):
            raise TransientError("it failed", hint="run it again")

    with pytest.raises(TransientError, match="it failed"):
        fails()
    assert lake.leases.held() == ()
