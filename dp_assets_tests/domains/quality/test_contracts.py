"""The pipeline's contracts on real rows: as they are, and with one thing wrong at a time."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from dp_assets.core.ids import TableId
from dp_assets.domains.quality.judge import judge
from dp_assets.domains.quality.registry import CONTRACTED, contract_for
from dp_assets.domains.quality.verdict import Verdict
from dp_assets_tests.domains.quality.faults import FAULTS, whole
from dp_assets_tests.domains.quality.real_data import DAYS, DERIVED, SPECS, real_tables

NOW_MS = int(datetime(2014, 1, 2, tzinfo=UTC).timestamp() * 1000)
DAY = date(2013, 2, 12)
WEATHER_NULLS = {"temp_not_null", "dewp_not_null", "humid_not_null", "wind_speed_not_null"}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    tables = real_tables(tmp_path_factory.mktemp("source"))
    if tables is None:
        pytest.skip("the extra 'demo' (real data) is not installed")
    return tables


@pytest.fixture(scope="module")
def judged(real):
    """Judge rows of a table, by day where it has days, with the real tables to refer to."""

    def run(table: TableId, rows, days=DAYS) -> tuple[Verdict, ...]:
        by_day = SPECS[str(table)].day_column is not None
        return judge(
            contract_for(table),
            rows,
            partitions=[d.isoformat() for d in days] if by_day else None,
            snapshot_id=1,
            now_ms=NOW_MS,
            references=real,
        )

    return run


@pytest.mark.parametrize("table", CONTRACTED, ids=str)
def test_real_rows_are_never_refused(real, judged, table):
    verdicts = judged(table, real[table])
    assert len(verdicts) == (len(DAYS) if SPECS[str(table)].day_column else 1)
    assert [(v.partition, o.check) for v in verdicts for o in v.outcomes if o.refuses] == []
    assert {len(v.outcomes) for v in verdicts} == {len(verdicts[0].outcomes)}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(
            "raw.flights",
            {"departed_has_arrived", "tailnum_known", "dest_known", "tailnum_format"},
            id="raw.flights",
        ),
        pytest.param(
            "raw.weather", {"has_rows", "wind_speed_in_range", *WEATHER_NULLS}, id="raw.weather"
        ),
        pytest.param("raw.airports", {"tzone_not_null"}, id="raw.airports"),
        pytest.param("raw.planes", set(), id="raw.planes"),
        pytest.param("raw.airlines", set(), id="raw.airlines"),
        pytest.param(
            "curated.flights",
            {"plane_joined", "dest_name_not_null", "weather_hour_utc_not_null"},
            id="curated.flights",
        ),
        *(pytest.param(name, set(), id=name) for name in DERIVED[1:]),
    ],
)
def test_only_the_known_imperfections_warn(real, judged, table, expected):
    name = TableId.parse(table)
    warned = {o.check for v in judged(name, real[name]) for o in v.outcomes if not o.passed}
    assert warned <= expected


def test_known_imperfections_are_counted(real, judged):
    weather, flights = SPECS["raw.weather"].table, SPECS["raw.flights"].table
    found = {
        (v.partition, o.check): (o.failing_rows, o.total_rows)
        for v in (*judged(weather, real[weather]), *judged(flights, real[flights]))
        for o in v.outcomes
        if not o.passed
    }
    assert found["2013-02-12", "wind_speed_in_range"][0] == 1
    assert found["2013-12-31", "has_rows"] == (0, 0)
    assert found["2013-12-31", "dest_known"][1] == 776


@pytest.mark.parametrize(
    ("table", "column", "value", "expected"),
    [pytest.param(*fault, id=f"{fault[0]}.{fault[1]}-{fault[3][0]}") for fault in FAULTS],
)
def test_three_spoilt_rows_are_refused_for_what_is_wrong(
    real, judged, table, column, value, expected
):
    spec = SPECS[table]
    frame = pl.from_arrow(real[spec.table])
    if spec.day_column:
        frame = frame.filter(pl.col(spec.day_column) == DAY)
    usable = frame.filter(whole(table)).sort(spec.key_columns).head(3).select(spec.key_columns)
    keys = usable.with_columns(spoilt=True)
    spoilt = (
        frame.join(keys, on=spec.key_columns, how="left")
        .with_columns(
            pl.when(pl.col("spoilt"))
            .then(value.cast(frame.schema[column]))
            .otherwise(pl.col(column))
            .alias(column)
        )
        .drop("spoilt")
    )
    (verdict,) = judged(spec.table, spoilt.to_arrow(), days=(DAY,))
    refusals = {o.check: o.failing_rows for o in verdict.outcomes if o.refuses}
    counts = dict.fromkeys(expected, 3) | ({"key_unique": 2} if "key_unique" in expected else {})
    assert refusals == counts


def test_every_rule_over_rows_has_been_broken_on_purpose():
    broken = {(fault[0], check) for fault in FAULTS for check in fault[3]}
    for table in CONTRACTED:
        family = DERIVED[1:] if str(table) in DERIVED[1:] else (str(table),)
        done = {check for name, check in broken if name in family}
        rules = {str(check.name) for check in contract_for(table).schema.checks}
        # Those with a tolerance warn on real rows; the four clock times are one rule.
        missed = rules - done - set(contract_for(table).tolerances) - {"key_unique"}
        assert {rule for rule in missed if not rule.endswith("_is_clock_time")} == set(), table
