"""How a table is written, told by the times of its commits alone."""

import random

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS, MIB, MINUTE_MS
from dp_assets.domains.maintenance.workload import (
    Workload,
    fixed_target,
    is_maintenance,
    kept_snapshots,
    workload_of,
)
from dp_assets.ports.maintenance import Operation
from dp_assets_tests.domains.maintenance.subjects import NOW


def every(step_ms, count, *, until=NOW, ours=False):
    return [(until - n * step_ms, ours) for n in range(count)]


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        pytest.param([], Workload.DORMANT, id="never"),
        pytest.param(every(DAY_MS, 1, until=NOW - 31 * DAY_MS), Workload.DORMANT, id="long-ago"),
        pytest.param(every(DAY_MS, 1, until=NOW - 30 * DAY_MS), Workload.SLOW, id="30-days-ago"),
        pytest.param(every(MINUTE_MS, 2000), Workload.STREAMING, id="every-minute"),
        pytest.param(every(HOUR_MS, 12), Workload.STREAMING, id="hourly-for-half-a-day"),
        pytest.param(every(HOUR_MS, 11), Workload.SLOW, id="a-few-hours-new"),
        pytest.param(every(6 * HOUR_MS, 40), Workload.BATCH, id="four-times-a-day"),
        pytest.param(every(DAY_MS, 8), Workload.BATCH, id="daily"),
        pytest.param(every(7 * DAY_MS, 20), Workload.SLOW, id="weekly"),
        pytest.param(every(1000, 365), Workload.SLOW, id="a-year-loaded-in-six-minutes"),
        pytest.param(
            every(MINUTE_MS, 2000, until=NOW - 20 * DAY_MS), Workload.STREAMING, id="paused-stream"
        ),
        pytest.param(
            [*every(DAY_MS, 8), (NOW + 300 * DAY_MS, False)], Workload.BATCH, id="clock-ahead"
        ),
    ],
)
def test_the_class_follows_from_when_rows_arrive(commits, expected):
    assert workload_of(commits, now_ms=NOW) is expected


@pytest.mark.parametrize("seed", range(20))
def test_our_own_commits_and_their_order_change_nothing(seed):
    pick = random.Random(seed)  # noqa: S311 - no secret
    theirs = [(NOW - pick.randrange(60 * DAY_MS), False) for _ in range(pick.randrange(40))]
    ours = [(NOW - pick.randrange(DAY_MS), True) for _ in range(500)]
    mixed = theirs + ours
    pick.shuffle(mixed)
    assert workload_of(mixed, now_ms=NOW) is workload_of(theirs, now_ms=NOW)


def test_maintenance_is_told_from_rows_that_our_pipelines_write():
    assert all(is_maintenance({"dp.operation": operation}) for operation in Operation)
    assert not is_maintenance({"dp.operation": "write"})
    assert not is_maintenance({"operation": "compaction"})
    assert not is_maintenance({})


def test_what_a_class_sets():
    assert {w: kept_snapshots(w) for w in Workload} == {
        Workload.STREAMING: 20,
        Workload.BATCH: 7,
        Workload.SLOW: 5,
        Workload.DORMANT: 5,
    }
    assert fixed_target(Workload.STREAMING) == 128 * MIB
    assert fixed_target(Workload.DORMANT) == 512 * MIB
    assert fixed_target(Workload.BATCH) is None
