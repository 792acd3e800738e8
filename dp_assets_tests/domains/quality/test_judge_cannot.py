"""What cannot be measured refuses the rows or is an error; it never passes."""

import polars as pl
import pyarrow as pa
import pytest
from pandera.config import config_context

from dp_assets.core.errors import PermanentError
from dp_assets.domains.quality.contract import Contract
from dp_assets.domains.quality.declare import rule
from dp_assets.domains.quality.judge import judge
from dp_assets_tests.domains.quality.conftest import CITIES, DAY_1, DAY_2, NOW_MS
from dp_assets_tests.domains.quality.planting import CHECKS, found, outcome, put


@pytest.mark.parametrize(
    ("change", "difference", "unmeasured"),
    [
        pytest.param(
            lambda t: t.rename_columns([{"city": "town"}.get(c, c) for c in t.column_names]),
            "city is missing; town is not declared",
            {"city_known"},
            id="renamed",
        ),
        pytest.param(
            lambda t: t.append_column("a", pa.nulls(20)).append_column("b", pa.nulls(20)),
            "a is not declared; b is not declared",
            set(),
            id="two-extra",
        ),
        pytest.param(
            lambda t: t.drop_columns(["minutes"]),
            "minutes is missing",
            {"minutes_in_range", "tram_is_short"},
            id="dropped",
        ),
        pytest.param(
            lambda t: t.set_column(5, "minutes", t["minutes"].cast(pa.int64())),
            "minutes is Int64, declared Int32",
            {"minutes_in_range", "tram_is_short"},
            id="widened",
        ),
        pytest.param(
            lambda t: t.set_column(5, "minutes", pa.nulls(20)),
            "minutes is Null, declared Int32",
            {"minutes_in_range", "tram_is_short"},
            id="all-null-without-a-type",
        ),
        pytest.param(
            lambda t: t.set_column(4, "started", t["started"].cast(pa.timestamp("us"))),
            "started is Datetime(time_unit='us', time_zone=None), "
            "declared Datetime(time_unit='us', time_zone='UTC')",
            {"started_not_in_future"},
            id="lost-its-time-zone",
        ),
    ],
)
def test_a_schema_change_refuses_every_day_and_is_named(
    verdicts, rows, change, difference, unmeasured
):
    for verdict in verdicts(change(rows.to_arrow())).values():
        assert outcome(verdict, "schema").observed == difference
        assert found(verdict) == dict.fromkeys({"schema", *unmeasured}, (10, "ERROR"))
        assert [o.check for o in verdict.outcomes] == CHECKS


def test_without_a_usable_day_column_no_day_can_pass(verdicts, rows):
    first, second = verdicts(rows.with_columns(pl.col("day").cast(pl.String))).values()
    for verdict in (first, second):
        assert outcome(verdict, "schema").observed == "day is String, declared Date"
        assert outcome(verdict, "schema").total_rows == 20
        assert {"has_rows", "day_in_partition", "key_unique"} <= set(found(verdict))


def test_quite_another_table_is_refused(verdicts):
    verdict = verdicts(pa.table({"x": [1]}))[DAY_1]
    assert verdict.refused
    assert all(not o.passed for o in verdict.outcomes)


def test_a_check_that_raises_is_an_error_and_names_check_and_table(verdicts, rows, trips):
    def boom(column: pl.Series) -> pl.Series:
        raise ZeroDivisionError(f"no {column.name}")

    broken = rule("broken", pl.col("trip").map_batches(boom, return_dtype=pl.Boolean))
    schema = trips.schema.__class__(
        trips.schema.columns, checks=[*trips.schema.checks, broken], name="raw.trips"
    )
    contract = Contract(trips.table, schema, trips.key_columns, day_column="day")
    with pytest.raises(PermanentError, match=r"check broken of raw.trips could not run: .*trip"):
        verdicts(rows, contract=contract)


@pytest.mark.parametrize(
    "given", [{}, {CITIES: pa.table({"city": ["Oslo"]})}], ids=["no-table", "no-column"]
)
def test_a_reference_that_cannot_be_looked_up_is_an_error(trips, rows, given):
    with pytest.raises(PermanentError, match=r"city_known of raw.trips could not run: raw.cities"):
        judge(
            trips,
            rows.to_arrow(),
            partitions=[DAY_1],
            snapshot_id=None,
            now_ms=NOW_MS,
            references=given,
        )


def test_an_empty_reference_knows_nothing(trips, rows):
    nothing = {CITIES: pa.table({"name": pa.array([], pa.string())})}
    (verdict, _) = judge(
        trips,
        rows.to_arrow(),
        partitions=[DAY_1, DAY_2],
        snapshot_id=None,
        now_ms=NOW_MS,
        references=nothing,
    )
    assert found(verdict) == {"city_known": (10, "ERROR")}


def test_validation_switched_off_for_pandera_is_still_done(verdicts, rows):
    with config_context(validation_enabled=False):
        assert verdicts(put(rows, "kind", None, range(1)))[DAY_1].refused
