"""A daily table whose columns change under it, as a user meets it: read, travelled in, written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.types import LongType, StringType

from dp_assets.cli.main import main
from dp_assets.core.errors import PermanentError
from dp_assets.domains.pipeline.graph import DIMENSIONS, RAW_WEATHER
from dp_assets.domains.quality.verdict import Verdict
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.tables import RunMark
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.adapters.flight_files import WEATHER, write_source

WEATHER_TABLE = RAW_WEATHER.spec.table.identifier
HOUR = "EWR,2013,{month},{day},5,30.02,26.06,59.37,{wind},10.357,NA,0,1012,10,2013-{at}T10:00:00Z"
OLD_DAYS, NEW_DAY = ("2013-01-01", "2013-01-02"), "2013-02-01"
ROWS = (
    HOUR.format(month=1, day=1, wind=10, at="01-01"),
    HOUR.format(month=1, day=2, wind=20, at="01-02"),
    HOUR.format(month=2, day=1, wind=30, at="02-01"),
)
RUN = RunMark(root_run_id="root-1", run_id="run-1")
LATER = RunMark(root_run_id="root-2", run_id="run-2")
Query = Callable[..., list[dict[str, object]]]


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``raw.weather`` with two old days in January's partition."""
    source = write_source(tmp_path / "source", weather=(WEATHER, *ROWS))
    settings = tmp_path / "lakehouse.yaml"
    settings.write_text(f"pipeline:\n  source: {source}\n")
    monkeypatch.setenv("DP_CONFIG", str(settings))
    monkeypatch.delenv("DP_STATE", raising=False)
    with opened_after_init() as found:
        for spec in DIMENSIONS:
            found.pipeline.build_whole(spec, reads=(), run=RUN)
        found.pipeline.build(RAW_WEATHER, OLD_DAYS, run=RUN)
        yield found


def opened_after_init():
    initialise(load_settings())
    return opened()


@pytest.fixture
def query(capsys: pytest.CaptureFixture[str]) -> Query:
    """`dp query`, its rows."""

    def run(sql: str, *options: str) -> list[dict[str, object]]:
        capsys.readouterr()
        assert main(["query", sql, "--format", "json", *options]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


def weather(lake: Lakehouse):
    """As another engine loads it."""
    return lake.catalog.load_table(WEATHER_TABLE)


def verdict(day: str) -> Verdict:
    """The contract's, read anew as the next run would."""
    with opened() as lake:
        return lake.pipeline.verdicts(RAW_WEATHER.spec, [day])[day]


def differences(found: Verdict) -> str:
    [schema] = [o for o in found.outcomes if o.check == "schema"]
    return "" if schema.passed else str(schema.observed)


def test_every_change_of_a_column_keeps_old_partitions_readable(lake, query):
    """Added, renamed, widened and dropped; then a new partition; all of them read, now and then."""
    before = weather(lake).current_snapshot().snapshot_id
    with weather(lake).update_schema() as change:
        change.add_column("station", StringType())
        change.rename_column("visib", "visibility")
        change.update_column("wind_dir", LongType())
        change.delete_column("wind_gust")
    old = weather(lake).scan(selected_fields=("observed_date",)).to_arrow()
    assert old.num_rows == 2
    weather(lake).append(new_row(lake))
    rows = query("SELECT * FROM raw.weather ORDER BY observed_date")
    assert [row["observed_date"] for row in rows] == [*OLD_DAYS, NEW_DAY]
    assert [row["visibility"] for row in rows] == [10.0, 10.0, 10.0]
    assert [row["wind_dir"] for row in rows] == [10, 20, 2**40]
    assert [row["station"] for row in rows] == [None, None, "KEWR"]
    assert all("wind_gust" not in row and "visib" not in row for row in rows)
    then = query("SELECT * FROM raw.weather ORDER BY observed_date", "--as-of", str(before))
    assert [row["wind_dir"] for row in then] == [10, 20]
    assert [row["visib"] for row in then] == [10.0, 10.0]
    assert all("station" not in row and row["wind_gust"] is None for row in then)


def new_row(lake: Lakehouse) -> pa.Table:
    """A row of a new month, with values that only the changed columns can hold."""
    table = weather(lake)
    row = table.scan(limit=1).to_arrow().to_pylist()[0]
    row["observed_date"] = row["observed_date"].replace(month=2, day=1)
    return pa.Table.from_pylist(
        [{**row, "wind_dir": 2**40, "station": "KEWR"}], schema=table.schema().as_arrow()
    )


def test_time_travel_by_the_clock_sees_the_columns_of_that_time(lake, query):
    at_ms = weather(lake).metadata.snapshot_log[-1].timestamp_ms
    with weather(lake).update_schema() as change:
        change.rename_column("visib", "visibility")
    weather(lake).append(weather(lake).scan().to_arrow())
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    [then] = query("SELECT count(visib) AS n FROM raw.weather", "--as-of", moment)
    [now] = query("SELECT count(visibility) AS n FROM raw.weather")
    assert (then["n"], now["n"]) == (2, 4)


def test_an_added_column_is_null_in_what_we_write_and_the_contract_says_so(lake):
    assert differences(verdict(OLD_DAYS[0])) == ""
    with weather(lake).update_schema() as change:
        change.add_column("station", StringType())
    with opened() as now:
        result = now.pipeline.build(RAW_WEATHER, [NEW_DAY], run=LATER)
    stored = weather(lake).scan(row_filter=f"observed_date = '{NEW_DAY}'").to_arrow()
    assert stored.column("station").to_pylist() == [None]
    assert differences(result.verdicts[NEW_DAY]) == "station is not declared"
    assert result.verdicts[NEW_DAY].refused
    assert verdict(OLD_DAYS[0]).refused


def test_a_widened_column_is_written_and_the_contract_says_so(lake):
    with weather(lake).update_schema() as change:
        change.update_column("wind_dir", LongType())
    with opened() as now:
        result = now.pipeline.build(RAW_WEATHER, [NEW_DAY], run=LATER)
    assert sorted(weather(lake).scan().to_arrow().column("wind_dir").to_pylist()) == [10, 20, 30]
    assert "wind_dir is Int64, declared Int32" in differences(result.verdicts[NEW_DAY])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            lambda update: update.rename_column("temp", "temperature"),
            r"column temp of raw\.weather was renamed to temperature",
            id="renamed",
        ),
        pytest.param(
            lambda update: update.delete_column("temp"),
            r"column temp of raw\.weather was dropped",
            id="dropped",
        ),
    ],
)
def test_a_declared_column_that_is_gone_stops_the_writer_before_it_writes(lake, change, said):
    with weather(lake).update_schema() as update:
        change(update)
    pointer = weather(lake).metadata_location
    with opened() as now, pytest.raises(PermanentError, match=said):
        now.pipeline.build(RAW_WEATHER, [NEW_DAY], run=LATER)
    judged = verdict(OLD_DAYS[0])
    assert judged.refused
    assert "temp" in differences(judged)
    assert weather(lake).metadata_location == pointer


def test_a_column_made_anew_with_another_type_is_not_written(lake):
    with weather(lake).update_schema() as update:
        update.delete_column("temp")
    with weather(lake).update_schema() as update:
        update.add_column("temp", StringType())
    pointer = weather(lake).metadata_location
    with opened() as now, pytest.raises(PermanentError) as refused:
        now.pipeline.build(RAW_WEATHER, [NEW_DAY], run=LATER)
    assert refused.value.what == "column temp of raw.weather is string, declared double"
    assert weather(lake).metadata_location == pointer


def test_taking_the_change_back_makes_the_table_ours_again(lake):
    with weather(lake).update_schema() as update:
        update.rename_column("temp", "temperature")
    with weather(lake).update_schema() as update:
        update.rename_column("temperature", "temp")
    with opened() as now:
        result = now.pipeline.build(RAW_WEATHER, [NEW_DAY], run=LATER)
    assert differences(result.verdicts[NEW_DAY]) == ""
    assert weather(lake).scan().to_arrow().num_rows == 3
