"""A process that kills the pipeline's run of three days, runs it again, and compares with no kill.

Arguments: folder, number of kills, seed. Half of the kills come right after one of Dagster's events
is stored, half at a random moment after the first write. Prints a JSON list.
"""

import json
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg
from dagster import EventLogEntry

import dp_assets.adapters.duckdb_pipeline
import dp_assets.adapters.pyiceberg_writer
import dp_assets.domains.lake.spool_flush
import dp_assets.domains.quality.judge
import dp_assets.domains.quality.registry  # noqa: F401 - imported once, for all children
from dp_assets.adapters.leases_polling import Revision
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.definitions import defs
from dp_assets.domains.pipeline import graph
from dp_assets_tests.adapters.week_of_flights import DAYS
from dp_assets_tests.defs.pipeline_lake import PipelineLake, failures
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child

THREE = (DAYS[0], DAYS[2])
DAILY = tuple(daily.spec for daily in graph.DAILY)
COUNTED = (
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_SUCCESS,
)
# Five tables of three days with a materialization and an evaluation each, and their five steps.
EVENTS = 5 * 3 * 2 + 5


@dataclass(frozen=True, slots=True)
class Left:
    """Where a kill landed, and what there was after the same command had run again."""

    where: str
    killed: bool
    content: Mapping[str, Sequence[object]]


def prepare(house: PipelineLake) -> None:
    house.prepare()
    (house.folder / "dagster").mkdir()
    house.add_dimensions()


def running(house: PipelineLake, *, stop_after: int | None = None) -> Work:
    """Three days through the ``days`` job; ``stop_after`` counts stored events of Dagster."""

    def work(moments: Moments) -> None:
        watch(moments, stop_after)
        run_days(house)

    return work


def run_days(house: PipelineLake) -> None:
    with dg.DagsterInstance.local_temp(str(house.folder / "dagster")) as instance:
        result = house.run("days", instance, days=THREE)
        assert result.success, failures(result)


def watch(moments: Moments, stop_after: int | None) -> None:
    """Start the clock at the first write of a lease; end after that many of Dagster's events."""
    create, store = SqlLeases._create, dg.DagsterInstance.handle_new_event
    stored: list[str] = []

    def first_write(leases: SqlLeases, revision: Revision) -> bool:
        moments.first_write()
        return create(leases, revision)

    def store_event(instance: dg.DagsterInstance, event: EventLogEntry, **batching: object) -> None:
        store(instance, event, **batching)  # pyright: ignore[reportArgumentType]
        happened = event.dagster_event
        if happened and happened.event_type in COUNTED:
            stored.append(happened.event_type_value)
        if len(stored) == stop_after:
            moments.killed_here()

    SqlLeases._create = first_write
    dg.DagsterInstance.handle_new_event = store_event


def warm_up(folder: Path) -> None:
    """Import what a run imports late. Nothing is computed: Polars does not survive a fork."""
    defs()
    folder.mkdir()
    dg.DagsterInstance.local_temp(str(folder)).dispose()


def again(house: PipelineLake, report: Path) -> Work:
    """The same command once more, and a look."""

    def work(moments: Moments) -> None:
        run_days(house)
        looking(house, report)(moments)

    return work


def looking(house: PipelineLake, report: Path) -> Work:
    """Write down what is in the tables; raise unless Dagster's word on them is true."""

    def work(_: Moments) -> None:
        with dg.DagsterInstance.local_temp(str(house.folder / "dagster")) as instance:
            house.check_record(instance)
        with house.open() as lake:
            assert lake.leases.held() == ()
        report.write_text(json.dumps(house.content(*DAILY)))

    return work


def kills(folder: Path, *, count: int, seed: int) -> Sequence[Left]:
    """The first is no kill at all, to compare with."""
    chance = random.Random(seed)  # noqa: S311 - chooses moments, no secret
    house, prepared, report = PipelineLake(folder / "lake"), folder / "prepared", folder / "report"
    house.folder.mkdir()
    os.environ["DP_CONFIG"] = str(house.config)
    must_run(lambda _: prepare(house))
    warm_up(folder / "warm")
    shutil.copytree(house.folder, prepared)
    moments = must_run(running(house), only_disk=True).moments
    must_run(looking(house, report))
    found = [Left("", killed=False, content=json.loads(report.read_text()))]
    for number in range(count):
        shutil.rmtree(house.folder)
        shutil.copytree(prepared, house.folder)
        if number % 2:
            ended = run_child(running(house), kill_at=chance.randint(1, moments), only_disk=True)
            where = ended.where
        else:
            stop_after = chance.randint(1, EVENTS)
            ended = run_child(running(house, stop_after=stop_after))
            where = f"after event {stop_after}"
        must_run(again(house, report))
        found.append(Left(where, ended.killed, json.loads(report.read_text())))
    return found


if __name__ == "__main__":
    done = kills(Path(sys.argv[1]), count=int(sys.argv[2]), seed=int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in done]))
