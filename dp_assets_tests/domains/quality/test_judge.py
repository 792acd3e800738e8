import math
from datetime import UTC, date, datetime

import polars as pl
import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.quality.contract import Contract, with_tolerances
from dp_assets.domains.quality.verdict import Severity
from dp_assets_tests.domains.quality.conftest import DAY_1, DAY_2
from dp_assets_tests.domains.quality.planting import CHECKS, found, outcome, put


def test_rows_that_keep_the_contract_pass_every_check_on_every_day(verdicts, rows):
    first, second = verdicts(rows).values()
    for verdict in (first, second):
        assert [o.check for o in verdict.outcomes] == CHECKS
        assert all(o.passed and o.failing_rows == 0 for o in verdict.outcomes)
        assert (verdict.snapshot_id, verdict.refused, verdict.warned) == (7, False, False)
    assert {o.total_rows for o in first.outcomes} == {10}
    assert (first.partition, second.partition) == (DAY_1, DAY_2)


@pytest.mark.parametrize(
    ("column", "value", "count", "expected"),
    [
        pytest.param("trip", None, 1, {"trip_not_null": 1}, id="null-key"),
        pytest.param("kind", None, 3, {"kind_not_null": 3}, id="three-nulls"),
        pytest.param("minutes", -1, 4, {"minutes_in_range": 4}, id="four-below-range"),
        pytest.param("kind", "ship", 1, {"kind_accepted": 1}, id="one-value"),
        pytest.param("kind", "Bus", 2, {"kind_accepted": 2, "kind_format": 2}, id="two-formats"),
        pytest.param("minutes", None, 10, {}, id="null-where-null-may-be"),
        pytest.param("city", None, 10, {}, id="null-refers-to-nothing"),
        pytest.param(
            "speed", math.nan, 2, {"speed_not_null": 2, "speed_in_range": 2}, id="nan-is-no-value"
        ),
        pytest.param("speed", math.inf, 1, {"speed_in_range": 1}, id="infinity"),
        pytest.param("speed", None, 10, {"speed_not_null": 10}, id="all-null-column"),
        pytest.param(
            "started",
            datetime(2013, 1, 10, 12, 0, 1, tzinfo=UTC),
            5,
            {"started_not_in_future": 5},
            id="five-after-the-clock",
        ),
        pytest.param("minutes", 60, 10, {"tram_is_short": 5}, id="across-columns"),
    ],
)
def test_each_planted_fault_is_counted_exactly_and_only_on_its_day(
    verdicts, rows, column, value, count, expected
):
    bad, good = verdicts(put(rows, column, value, range(count))).values()
    assert found(bad) == {check: (n, "ERROR") for check, n in expected.items()}
    assert found(good) == {}


def test_all_faults_at_once_are_counted_apart(verdicts, rows):
    faulty = put(rows, "kind", None, range(3))
    faulty = put(faulty, "minutes", 101, range(2, 6))
    faulty = put(faulty, "started", datetime(2013, 2, 1, tzinfo=UTC), range(5))
    faulty = put(faulty, "kind", "ship", range(9, 10))
    faulty = pl.concat([faulty, rows[6:8]])
    bad, good = verdicts(faulty).values()
    assert {check: n for check, (n, _) in found(bad).items()} == {
        "kind_not_null": 3,
        "minutes_in_range": 4,
        "tram_is_short": 2,
        "started_not_in_future": 5,
        "kind_accepted": 1,
        "key_unique": 2,
    }
    assert outcome(bad, "key_unique").total_rows == 12
    assert found(good) == {}


@pytest.mark.parametrize(
    ("unknown", "result"),
    [
        pytest.param(0, {}, id="none-passes"),
        pytest.param(3, {"city_known": (3, "WARN")}, id="up-to-the-tolerance-warns"),
        pytest.param(4, {"city_known": (4, "ERROR")}, id="above-it-refuses"),
    ],
)
def test_tolerance(verdicts, rows, unknown, result):
    verdict = verdicts(put(rows, "city", "Atlantis", range(unknown)))[DAY_1]
    assert found(verdict) == result
    assert (verdict.warned, verdict.refused) == (unknown == 3, unknown == 4)
    known = outcome(verdict, "city_known")
    assert known.observed == f"{unknown} rows ({unknown * 10}.00 %) of 10"
    assert known.allowed == "30.00 %"


def test_a_tolerance_can_be_set_from_outside(verdicts, rows, trips):
    strict = with_tolerances(trips, {"raw.trips.city_known": 0.0, "raw.other.city_known": 1})
    bad = verdicts(put(rows, "city", "Atlantis", range(1)), contract=strict)[DAY_1]
    assert found(bad) == {"city_known": (1, "ERROR")}
    lenient = with_tolerances(trips, {"raw.trips.kind_not_null": 0.1})
    assert found(verdicts(put(rows, "kind", None, range(1)), contract=lenient)[DAY_1]) == {
        "kind_not_null": (1, "WARN")
    }


def test_a_day_without_rows_fails_for_having_none(verdicts, rows):
    empty = verdicts(rows[:10])[DAY_2]
    assert found(empty) == {"has_rows": (0, "ERROR")}
    assert {o.total_rows for o in empty.outcomes} == {0}
    assert [o.check for o in empty.outcomes] == CHECKS


def test_an_empty_table_fails_on_every_day(verdicts, rows):
    assert all(v.refused for v in verdicts(rows.clear()).values())


def test_rows_of_other_days_or_of_none_are_held_against_every_day_asked(verdicts, rows):
    strays = put(put(rows, "day", date(2012, 12, 31), range(2)), "day", None, range(2, 3))
    first, second = verdicts(strays).values()
    assert found(first) == found(second)
    assert found(first) == {"day_in_partition": (3, "ERROR"), "day_not_null": (1, "ERROR")}
    assert [outcome(v, "schema").total_rows for v in (first, second)] == [10, 13]


def test_a_day_after_the_clock_is_in_the_future_and_today_is_not(verdicts, rows):
    start_of_day_2 = int(datetime(2013, 1, 3, tzinfo=UTC).timestamp() * 1000)
    today, tomorrow = verdicts(rows, now_ms=start_of_day_2 - 1).values()
    assert "day_not_in_future" not in found(today)
    assert found(tomorrow)["day_not_in_future"] == (10, "ERROR")


def test_failing_rows_are_shown_lowest_keys_first_as_json_scalars(verdicts, rows):
    faulty = put(rows, "speed", math.nan, range(20)).reverse()
    many = pl.concat([faulty, faulty.with_columns(pl.col("trip") + 10)])
    shown = outcome(verdicts(many)[DAY_1], "speed_in_range").issues
    assert [issue["trip"] for issue in shown] == list(range(10))
    assert list(shown[0].items()) == [("day", "2013-01-02"), ("trip", 0), ("speed", None)]
    late = put(rows, "started", datetime(2013, 2, 1, 1, 2, 3, 40, tzinfo=UTC), range(1))
    shown = outcome(verdicts(late)[DAY_1], "started_not_in_future").issues
    assert [issue["started"] for issue in shown] == ["2013-02-01T01:02:03.000040Z"]


def test_a_table_can_be_judged_whole(verdicts, rows):
    faulty = put(rows, "kind", None, range(9, 12))
    (verdict,) = verdicts(faulty, days=None).values()
    assert verdict.partition is None
    assert found(verdict) == {"kind_not_null": (3, "ERROR")}
    assert [o.check for o in verdict.outcomes] == [c for c in CHECKS if c != "day_in_partition"]


@pytest.mark.parametrize("days", [("2013-1-2",), ("january",)])
def test_a_partition_that_is_not_a_day_is_a_usage_error(verdicts, rows, days):
    with pytest.raises(ConfigurationError, match="not a day"):
        verdicts(rows, days=days)


def test_a_table_without_days_refuses_to_be_judged_by_day(verdicts, rows, trips):
    whole = Contract(trips.table, trips.schema, trips.key_columns)
    with pytest.raises(ConfigurationError, match=r"raw.trips is judged whole"):
        verdicts(rows, contract=whole)


def test_an_empty_day_may_be_declared_tolerable(verdicts, rows, trips):
    lenient = Contract(
        trips.table,
        trips.schema,
        trips.key_columns,
        day_column="day",
        when_empty=Severity.WARN,
    )
    empty = verdicts(rows[:10], contract=lenient)[DAY_2]
    assert found(empty) == {"has_rows": (0, "WARN")}
    assert not empty.refused
