import pytest

from dp_assets.domains.pipeline.due import DayPlan, DayRange, plan_days, ranges

RAW_DONE = {"raw/flights": {"2013-01-10": 1}, "raw/weather": {"2013-01-10": 2}}


def made(curated, features, raw=None):
    return {
        "raw/flights": raw or curated,
        "raw/weather": raw or curated,
        "curated/flights": curated,
        "features/route_day": features,
        "features/carrier_day": features,
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({}, DayPlan(("2013-01-10",), ()), id="nothing-made-yet"),
        pytest.param(RAW_DONE, DayPlan(("2013-01-10",), ()), id="curated-missing"),
        pytest.param(
            made({"2013-01-10": 3}, {"2013-01-10": 4}), DayPlan((), ()), id="everything-there"
        ),
        pytest.param(
            made({"2013-01-10": 3}, {"2013-01-10": 4}, raw={"2013-01-10": 9}),
            DayPlan(("2013-01-10",), ()),
            id="raw-came-again",
        ),
        pytest.param(
            made({"2013-01-10": 3}, {}), DayPlan((), ("2013-01-10",)), id="features-missing"
        ),
        pytest.param(
            made({"2013-01-10": 3, "2013-01-03": 8}, {"2013-01-10": 4}),
            DayPlan((), ("2013-01-10",)),
            id="seventh-day-back-came-again",
        ),
        pytest.param(
            made({"2013-01-10": 3, "2013-01-02": 8}, {"2013-01-10": 4}),
            DayPlan((), ()),
            id="eighth-day-back-does-not-count",
        ),
        pytest.param(
            made({"2013-01-10": 3, "2013-01-11": 8}, {"2013-01-10": 4}),
            DayPlan((), ()),
            id="later-days-do-not-count",
        ),
    ],
)
def test_a_day_is_due_when_what_it_is_made_from_changed(record, expected):
    assert plan_days(["2013-01-10"], record) == expected


def test_one_day_again_makes_exactly_the_next_seven_due():
    days = [f"2013-01-{d:02}" for d in range(1, 21)]
    record = made(dict.fromkeys(days, 1), dict.fromkeys(days, 2))
    record["curated/flights"] = record["curated/flights"] | {"2013-01-05": 3}
    plan = plan_days([d for d in days if d != "2013-01-05"], record)
    assert plan == DayPlan((), tuple(f"2013-01-{d:02}" for d in range(6, 13)))


def test_ranges_are_consecutive_and_no_longer_than_asked():
    days = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-05", "2012-12-31"]
    assert ranges(days, at_most=2) == (
        DayRange("2012-12-31", "2013-01-01"),
        DayRange("2013-01-02", "2013-01-03"),
        DayRange("2013-01-05", "2013-01-05"),
    )
    assert str(ranges(days, at_most=9)[0]) == "2012-12-31..2013-01-03"
