"""Which points stay: buckets, pins, proofs, and what no rule may remove."""

import random

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.backup.retention import PointAge, Rules, plan_retention

NOON = 1_700_000_000_000  # 2023-11-14T22:13:20Z, a Tuesday
RULES = Rules(daily=7, weekly=4, monthly=12, min_proven=2)
NOTHING = Rules(daily=0, weekly=0, monthly=0, min_proven=0)


def point(number, at_ms, *, complete=True, proven=False, pinned=False):
    return PointAge(number, at_ms, complete, proven, pinned)


def hourly(count):
    """A point an hour, the last at NOON."""
    return [point(n, NOON - (count - n) * HOUR_MS) for n in range(1, count + 1)]


def kept(points, rules=RULES):
    return [one.number for one in plan_retention(points, rules) if one.reasons]


def test_the_last_of_each_day_week_and_month_stays():
    points = hourly(24 * 100)
    days = sorted({p.created_at_ms // DAY_MS for p in points})
    numbers = kept(points)
    last_of = {p.created_at_ms // DAY_MS: p.number for p in points}
    assert set(numbers) >= {last_of[day] for day in days[-7:]}
    # 7 days; of 4 weeks and 4 months the newest is among them, 3 weeks and 3 months are not all
    assert len(numbers) <= 7 + 3 + 3
    assert numbers[-1] == points[-1].number


def test_a_lake_that_was_silent_for_months_keeps_as_many_days():
    points = [point(n, NOON + n * 40 * DAY_MS) for n in range(1, 30)]
    assert kept(points, Rules(7, 0, 0, 0)) == list(range(23, 30))


def test_without_any_rule_the_newest_complete_one_stays():
    points = [point(1, NOON), point(2, NOON + 1), point(3, NOON + 2, complete=False)]
    assert kept(points, NOTHING) == [2, 3]


def test_newest_is_the_highest_number_also_when_the_clock_went_back():
    points = [point(1, NOON + DAY_MS), point(2, NOON)]
    assert kept(points, NOTHING) == [2]


def test_pins_and_the_newest_proven_stay_whatever_their_age():
    old = [point(n, NOON + n, proven=n in (2, 3, 4), pinned=n == 1) for n in range(1, 8)]
    assert kept(old, Rules(0, 0, 0, 2)) == [1, 3, 4, 7]


def test_an_incomplete_point_fills_no_bucket():
    points = [point(1, NOON), point(2, NOON + 1, complete=False)]
    reasons = {one.number: one.reasons for one in plan_retention(points, RULES)}
    assert "newest" in reasons[1]
    assert reasons[2] == ("incomplete, and recent",)


def test_an_incomplete_point_goes_when_three_complete_ones_followed():
    points = [point(1, NOON, complete=False), *(point(n, NOON + n) for n in (2, 3, 4))]
    assert 1 not in kept(points, NOTHING)
    assert 1 in kept(points[:3], NOTHING)


def test_no_points_no_plan():
    assert plan_retention([], RULES) == ()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_history_a_recovery_remains(seed):
    pick = random.Random(seed)  # noqa: S311 - no secret
    points = [
        point(
            n,
            NOON + pick.randrange(400) * DAY_MS,
            complete=pick.random() < 0.8,
            proven=pick.random() < 0.2,
            pinned=pick.random() < 0.05,
        )
        for n in range(1, pick.randrange(2, 120))
    ]
    rules = Rules(pick.randrange(8), pick.randrange(5), pick.randrange(13), pick.randrange(4))
    numbers = set(kept(points, rules))
    complete = [p for p in points if p.complete]
    proven = [p.number for p in complete if p.proven]
    assert {p.number for p in complete[-1:]} <= numbers
    assert {p.number for p in points if p.pinned} <= numbers
    assert set(proven[len(proven) - min(rules.min_proven, len(proven)) :]) <= numbers
