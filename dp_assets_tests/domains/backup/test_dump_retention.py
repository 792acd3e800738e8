"""Which dumps stay: young ones, and always two that restore."""

import itertools

import pytest

from dp_assets.core.units import DAY_MS
from dp_assets.domains.backup.dump_retention import KnownDump, plan_retention

NOW_MS = 400 * DAY_MS
YES, NO, NEVER_CHECKED = True, False, None


def known(age_days: float, *, good: bool | None, finished: bool = True) -> KnownDump:
    taken_at_ms = int(NOW_MS - age_days * DAY_MS)
    return KnownDump(f"{age_days}", taken_at_ms, finished=finished, good=good)


def removed(*dumps: KnownDump) -> list[str]:
    return [dump.name for dump in plan_retention(dumps, now_ms=NOW_MS).remove]


@pytest.mark.parametrize(
    ("dumps", "gone"),
    [
        pytest.param([known(d, good=YES) for d in (0, 1, 29, 30)], [], id="young"),
        pytest.param([known(d, good=YES) for d in (0, 1, 30.001)], ["30.001"], id="too-old"),
        pytest.param([known(d, good=YES) for d in (90, 80, 70)], ["90"], id="two-good-stay"),
        pytest.param([known(90, good=YES), known(1, good=NO)], [], id="one-good-stays"),
        pytest.param([known(90, good=NO), known(80, good=NO)], ["90", "80"], id="bad-age"),
        pytest.param([known(90, good=NEVER_CHECKED)], [], id="unchecked-may-be-good"),
        pytest.param(
            [known(90, good=NEVER_CHECKED), known(2, good=YES), known(1, good=YES)],
            ["90"],
            id="unchecked-ages-beside-two-good",
        ),
        pytest.param([known(1.1, good=None, finished=False)], ["1.1"], id="killed"),
        pytest.param([known(0.9, good=None, finished=False)], [], id="running"),
        pytest.param([known(-300, good=NO)], [], id="from-a-wrong-clock"),
        pytest.param([], [], id="none"),
    ],
)
def test_what_is_removed(dumps: list[KnownDump], gone: list[str]):
    assert removed(*dumps) == gone


def test_every_dump_is_in_exactly_one_half_and_two_good_ones_always_stay():
    ages, standings = (0, 20, 31, 40, 99), (YES, NO, NEVER_CHECKED)
    for standing in itertools.product(standings, repeat=len(ages)):
        dumps = [known(age, good=good) for age, good in zip(ages, standing, strict=True)]
        plan = plan_retention(dumps, now_ms=NOW_MS)
        assert sorted([*plan.keep, *plan.remove], key=str) == sorted(dumps, key=str)
        good = sum(dump.good is True for dump in dumps)
        assert sum(dump.good is True for dump in plan.keep) >= min(2, good)


def test_a_clock_far_ahead_still_leaves_two():
    dumps = [known(age, good=YES) for age in range(5)]
    plan = plan_retention(dumps, now_ms=NOW_MS * 10)
    assert [dump.name for dump in plan.keep] == ["1", "0"]
