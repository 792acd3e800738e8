"""A range of days in one run: each day on its own, and the run says which one was bad."""

import dagster as dg
import pytest

from dp_assets.domains.pipeline import graph, tables
from dp_assets.orchestration.made import due_days
from dp_assets_tests.adapters.week_of_flights import DAYS, FLIGHTS_A_DAY
from dp_assets_tests.defs.pipeline_lake import (
    PipelineLake,
    failures,
    materializations,
    started,
    steps,
    verdicts,
)

GOOD, BAD, LATER = DAYS[:3]
DERIVED = (tables.CURATED_FLIGHTS, tables.ROUTE_DAY, tables.CARRIER_DAY)
DAILY = tuple(daily.spec for daily in graph.DAILY)


def spoil(line: str) -> str:
    """An airline that nobody knows, once, on the second day."""
    return line.replace(",UA,102,", ",ZZ,102,") if line.startswith("2013,3,5,") else line


@pytest.fixture
def spoilt(house: PipelineLake) -> PipelineLake:
    house.prepare(edit=spoil)
    return house


def test_the_bad_day_of_three_is_left_out_and_the_others_arrive(
    spoilt: PipelineLake, instance: dg.DagsterInstance
):
    result = spoilt.run("days", instance, days=(GOOD, LATER))
    assert spoilt.days_in(tables.RAW_FLIGHTS) == dict.fromkeys((GOOD, BAD, LATER), FLIGHTS_A_DAY)
    for spec in DERIVED:
        assert set(spoilt.days_in(spec)) == {GOOD, LATER}
        assert set(materializations(instance, spec)) == {GOOD, LATER}
    spoilt.check_record(instance)

    assert not result.success
    assert set(failures(result)) == {"quality__day_verdicts"}
    said = failures(result)["quality__day_verdicts"]
    assert f"{BAD}: raw.flights broke carrier_known" in said
    assert GOOD not in said
    assert LATER not in said

    assert verdicts(result, tables.RAW_FLIGHTS) == {GOOD: True, BAD: False, LATER: True}
    assert verdicts(result, tables.RAW_WEATHER) == {GOOD: True, BAD: True, LATER: True}
    for spec in DERIVED:
        assert verdicts(result, spec) == {GOOD: True, LATER: True}


def test_the_mended_day_arrives_and_all_days_again_change_nothing(
    spoilt: PipelineLake, instance: dg.DagsterInstance
):
    spoilt.run("days", instance, days=(GOOD, BAD))
    spoilt.prepare()
    assert due_days(instance, DAYS[:2]).ingest == (BAD,)
    mended = spoilt.run("days", instance, days=(BAD, BAD))
    assert mended.success
    assert due_days(instance, DAYS[:2]) == due_days(instance, [])
    assert spoilt.days_in(tables.CURATED_FLIGHTS) == dict.fromkeys((GOOD, BAD), FLIGHTS_A_DAY)
    before = spoilt.content(*DAILY)
    again = spoilt.run("days", instance, days=(GOOD, BAD))
    assert again.success
    assert spoilt.content(*DAILY) == before
    spoilt.check_record(instance)


def test_a_day_that_turns_bad_keeps_what_was_derived_before(
    house: PipelineLake, instance: dg.DagsterInstance
):
    assert house.run("days", instance, days=(GOOD, BAD)).success
    before = house.content(*DERIVED)
    house.prepare(edit=spoil)
    assert not house.run("days", instance, days=(BAD, BAD)).success
    assert house.content(*DERIVED) == before


def test_a_source_that_cannot_be_read_fails_once_and_changes_nothing(
    house: PipelineLake, instance: dg.DagsterInstance
):
    """A word for a number, in a line of the asked day: nobody can tell what is meant."""
    house.prepare(edit=lambda line: line.replace("2013,3,5,", "2013,3,5,soon", 1))
    result = house.run("days", instance, days=(BAD, BAD))
    assert set(failures(result)) == {"raw__flights"}
    assert "flights.csv" in failures(result)["raw__flights"]
    assert started(result) == {"raw__flights", "raw__weather"}
    with house.open() as lake:
        assert lake.writer.head(tables.RAW_FLIGHTS.table) is None
    assert not steps(result, dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert set(verdicts(result, tables.RAW_FLIGHTS)) == set()


@pytest.mark.parametrize("days", [("2013-12-30", "2014-01-02"), ("2014-02-01", "2014-02-01")])
def test_days_outside_2013_are_refused(
    house: PipelineLake, instance: dg.DagsterInstance, days: tuple[str, str]
):
    result = house.run("days", instance, days=days)
    assert failures(result)["raw__flights"].startswith(
        f"{days[1]} is none of the days from 2013-01-01 until before 2014-01-01"
    )
    assert started(result) == {"raw__flights", "raw__weather"}
    assert not steps(result, dg.DagsterEventType.STEP_UP_FOR_RETRY)
    with house.open() as lake:
        assert {table.name for table in lake.tables()} == {"planes", "airports", "airlines"}
