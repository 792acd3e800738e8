"""One day by hand, as from the page of an asset: the contract blocks what comes after it."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from dp_assets.defs.pipeline import assets, checks
from dp_assets.domains.pipeline import tables
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets_tests.adapters.week_of_flights import DAYS, FLIGHTS_A_DAY
from dp_assets_tests.defs.pipeline_lake import (
    PipelineLake,
    failures,
    materializations,
    started,
    verdicts,
)

DAY = DAYS[1]
PARTS = [
    *(assets.raw_flights, assets.raw_weather, assets.curated_flights),
    *(checks.raw_flights, checks.raw_weather, checks.curated_flights),
]
Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def materialize(house: PipelineLake, instance: dg.DagsterInstance) -> Run:
    def run(
        selection: dg.AssetSelection | None = None, day: str = DAY
    ) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            PARTS,
            instance=instance,
            partition_key=day,
            selection=selection,
            resources={"house": LakehouseResource(config_file=str(house.config))},
            raise_on_error=False,
        )

    return run


def negative_distance(line: str) -> str:
    return line.replace(",1003,", ",-3,") if line.startswith("2013,3,5,") else line


def waiting_results(house: PipelineLake) -> list[dict[str, object]]:
    """The rows on their way to ``ops.data_quality_results``."""
    with house.open() as lake:
        table = DATA_QUALITY_RESULTS.table
        return [
            dict(row) for batch in lake.spool.pending(table) for row in lake.spool.read([batch])
        ]


def test_a_good_day_arrives_with_its_verdicts(
    house: PipelineLake, instance: dg.DagsterInstance, materialize: Run
):
    result = materialize()
    assert result.success
    assert house.days_in(tables.CURATED_FLIGHTS) == {DAY: FLIGHTS_A_DAY}
    assert verdicts(result, tables.CURATED_FLIGHTS) == {DAY: True}
    before = house.content(tables.RAW_FLIGHTS, tables.CURATED_FLIGHTS)
    assert materialize().success
    assert house.content(tables.RAW_FLIGHTS, tables.CURATED_FLIGHTS) == before


def test_a_refused_day_blocks_what_comes_after(
    house: PipelineLake, instance: dg.DagsterInstance, materialize: Run
):
    house.prepare(edit=negative_distance)
    result = materialize()
    assert not result.success
    assert verdicts(result, tables.RAW_FLIGHTS) == {DAY: False}
    assert "curated__flights" not in started(result)
    assert materializations(instance, tables.CURATED_FLIGHTS) == {}
    with house.open() as lake:
        assert tables.CURATED_FLIGHTS.table not in lake.tables()
    failed = [row for row in waiting_results(house) if not row["passed"]]
    assert {(row["check"], row["partition"]) for row in failed} == {("distance_in_range", DAY)}
    assert "-3" in json.dumps([row["issues"] for row in failed])


def test_a_refused_day_is_not_derived_by_hand_either(house: PipelineLake, materialize: Run):
    """The gate looks at the table again; it does not rely on the order of a run."""
    house.prepare(edit=negative_distance)
    raw = dg.AssetSelection.assets(assets.raw_flights, assets.raw_weather).without_checks()
    assert materialize(raw).success
    result = materialize(dg.AssetSelection.assets(assets.curated_flights).without_checks())
    [said] = failures(result).values()
    assert f"{DAY} of curated/flights was left out: raw.flights broke distance_in_range" in said
    assert house.days_in(tables.CURATED_FLIGHTS) == {}


def test_a_contract_that_cannot_be_measured_is_an_error_and_no_pass(
    house: PipelineLake, instance: dg.DagsterInstance, materialize: Run
):
    """The airlines that flights refer to cannot be read: nobody knows whether they are right."""
    with house.open() as lake:
        table = lake.catalog.load_table(tables.RAW_AIRLINES.table.identifier)
        [task] = table.scan().plan_files()
    lost = Path(task.file.file_path.removeprefix("file://"))
    lost.unlink()
    result = materialize()
    assert not result.success
    assert DAY not in verdicts(result, tables.RAW_FLIGHTS)
    assert materializations(instance, tables.RAW_FLIGHTS) == {}
    assert "curated__flights" not in started(result)
    assert "read raw.airlines" in failures(result)["raw__flights"]
    assert lost.name in failures(result)["raw__flights"]


def test_a_day_outside_2013_is_refused(materialize: Run):
    with pytest.raises(dg.DagsterError, match="2014-01-05"):
        materialize(day="2014-01-05")
