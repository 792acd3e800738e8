"""Who asks for maintenance, how often, and that nobody does when there is nothing to do."""

from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.defs.lake.assets import inventory
from dp_assets.defs.lake.automation import tables_moved_sensor
from dp_assets.defs.maintenance.assets import health
from dp_assets.defs.maintenance.automation import health_due_sensor
from dp_assets.defs.maintenance.due import (
    automation,
    maintenance_due_sensor,
    maintenance_schedule,
)
from dp_assets.orchestration.asking import LONGEST, RUN_KEY
from dp_assets.orchestration.operations import KEYS, TABLE, WHY
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.settings import load_settings
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill
from dp_assets_tests.defs.maintenance.table_lake import (
    DEFINED,
    TABLES,
    TableLake,
    instance,
    lake,
    materialized,
    prepared,
)

__all__ = ["instance", "lake", "prepared"]  # fixtures

STOPPED = dg.DefaultSensorStatus.STOPPED
DUE = maintenance_due_sensor(STOPPED)
NAMES = TableId("raw", "names")


class Daemon:
    """Ticks sensors as Dagster's daemon does, and makes the runs that they ask for at once."""

    def __init__(self, lake: TableLake) -> None:
        self.lake = lake
        self.runs: list[str] = []
        self._cursors: dict[str, str] = {}

    def tick(self, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            instance=self.lake.instance,
            cursor=self._cursors.get(sensor.name),
            resources={"house": self.lake.house},
        ) as context:
            # Called, not evaluated: that would look for partitions in an instance of its own.
            found = sensor(context)
        if isinstance(found, dg.SensorResult):
            self._cursors[sensor.name] = found.cursor or self._cursors.get(sensor.name, "")
            return list(found.run_requests or ())
        return [] if isinstance(found, dg.SkipReason) else list(found)

    def serve(self, sensor: dg.SensorDefinition, make: Callable[[dg.RunRequest], object]) -> None:
        for request in self.tick(sensor):
            make(request)
            key = request.asset_selection[0].path[-1] if request.asset_selection else ""
            self.runs.append(f"{sensor.name} {request.partition_key or ''} {key}".strip())

    def maintain(self, request: dg.RunRequest) -> None:
        [key] = request.asset_selection
        operation = Operation(key.path[-1])
        table = TableId.parse(request.partition_key)
        tags = {**request.tags, RUN_KEY: request.run_key}
        assert self.lake.run(operation, table=table, tags=tags).success

    def make(self, asset: dg.AssetsDefinition) -> None:
        house = {"house": self.lake.house}
        assert dg.materialize([asset], instance=self.lake.instance, resources=house).success


@pytest.fixture
def daemon(lake):
    return Daemon(lake)


def only_compaction(lake, *tables):
    for table in tables:
        with lake.lake.catalog.load_table(table.identifier).transaction() as change:
            change.set_properties({"dp.maintenance.orphans.enabled": "false"})


def test_what_is_due_is_asked_for_with_its_table_and_the_reason(lake, daemon):
    only_compaction(lake, ORDERS)
    with lake.lake.catalog.load_table(ORDERS.identifier).transaction() as change:
        change.set_properties({"dp.maintenance.compaction.timeout_minutes": "30"})
    [request] = daemon.tick(DUE)
    assert request.partition_key == str(ORDERS)
    assert request.asset_selection == [KEYS[Operation.COMPACTION]]
    assert request.tags[TABLE] == str(ORDERS)
    assert "small_files 12, 10 is enough" in request.tags[WHY]
    assert request.tags[LONGEST] == "1800"
    [again] = daemon.tick(DUE)
    assert again.run_key == request.run_key  # Dagster makes one run of both
    daemon.maintain(request)
    assert str(ORDERS) not in {one.partition_key for one in daemon.tick(DUE)}
    assert [one.outcome for one in lake.journal()] == [Outcome.DONE]


def test_a_run_that_left_no_trace_is_not_asked_for_at_once(lake, daemon):
    only_compaction(lake, ORDERS)
    [request] = daemon.tick(DUE)
    tags = {RUN_KEY: request.run_key}
    made = dg.DagsterRun(job_name="maintenance", tags=tags, status=dg.DagsterRunStatus.FAILURE)
    lake.instance.add_run(made)
    assert daemon.tick(DUE) == []


@pytest.mark.parametrize("job", ["maintenance", "compaction"])
def test_a_table_whose_run_has_not_ended_is_not_asked_for(lake, daemon, job):
    only_compaction(lake, ORDERS)
    tags = {"dagster/partition": str(ORDERS)}
    begun = dg.DagsterRun(job_name=job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    lake.instance.add_run(begun)
    assert daemon.tick(DUE) == []


def test_a_table_that_the_inventory_has_not_seen_becomes_a_partition(lake, daemon):
    fill(lake.lake, NAMES, commits=12)
    only_compaction(lake, ORDERS, NAMES)
    assert {request.partition_key for request in daemon.tick(DUE)} == {str(ORDERS), str(NAMES)}
    assert set(lake.instance.get_dynamic_partitions(TABLES)) == {str(ORDERS), str(NAMES)}


def test_the_schedule_asks_for_the_same_work_once(lake, tmp_path):
    only_compaction(lake, ORDERS)
    schedule = maintenance_schedule(lake.lake.settings)
    location = dg.Definitions(
        assets=[one for one in DEFINED if isinstance(one, dg.AssetsDefinition)],
        jobs=automation().jobs,
        resources={"house": lake.house},
    )

    def night(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
        with dg.build_schedule_context(
            instance=instance,
            resources={"house": lake.house},
            repository_def=location.get_repository_def(),
        ) as context:
            return list(schedule.evaluate_tick(context).run_requests or ())

    # On disk: only such an instance has a reference, which a schedule's context wants.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        [asked] = Daemon(replace(lake, instance=instance)).tick(DUE)
        [request] = night(instance)
        assert (request.run_key, request.partition_key) == (asked.run_key, str(ORDERS))
        assert instance.get_dynamic_partitions(TABLES) == [str(ORDERS)]
        instance.add_run(dg.DagsterRun(job_name="maintenance", tags={RUN_KEY: asked.run_key}))
        assert night(instance) == []


def test_an_idle_lake_stays_idle(lake, daemon):
    """A hundred ticks of every sensor, each run made at once, rows flushed at once."""
    sensors = {
        tables_moved_sensor(STOPPED): lambda _: daemon.make(inventory),
        health_due_sensor(STOPPED): lambda _: daemon.make(health),
        DUE: daemon.maintain,
    }

    def tick_all():
        for sensor, make in sensors.items():
            daemon.serve(sensor, make)
        lake.lake.flush(at_once=True)

    seen = -1
    while len(daemon.runs) > seen:
        seen = len(daemon.runs)
        tick_all()
    assert f"maintenance_due {ORDERS} compaction" in daemon.runs
    made = {run for run in daemon.runs if run.startswith("maintenance_due")}
    assert len(made) == len([run for run in daemon.runs if run.startswith("maintenance_due")])
    runs, pointers = len(daemon.runs), list_pointers(lake.lake.catalog)
    for _ in range(100):
        tick_all()
    assert daemon.runs[runs:] == []
    assert list_pointers(lake.lake.catalog) == pointers


def test_before_the_lakehouse_is_made_the_sensor_waits(tmp_path, lake):
    config = tmp_path / "new" / "lakehouse.yaml"
    config.parent.mkdir()
    config.write_text("environment: test\n")
    daemon = Daemon(TableLake(config, lake.lake, lake.instance))
    assert daemon.tick(DUE) == []


def test_the_whole_job_does_every_operation_in_order(lake):
    done = lake.run(*Operation)
    assert done.success
    ended = {one: materialized(done, one)["outcome"] for one in Operation}
    assert ended[Operation.COMPACTION] == "done"
    assert [one.operation for one in lake.journal()] == list(Operation)


@pytest.mark.parametrize(
    ("text", "status"),
    [("environment: test\n", "STOPPED"), ("schedules:\n  enabled: true\n", "RUNNING")],
)
def test_one_setting_starts_sensor_and_schedule(tmp_path, monkeypatch, text, status):
    config = tmp_path / "lakehouse.yaml"
    config.write_text(text + "maintenance: {}\n")
    monkeypatch.setenv("DP_CONFIG", str(config))
    found = automation()
    assert {one.default_status.value for one in (*found.sensors, *found.schedules)} == {status}
    assert maintenance_schedule(load_settings(config, env={})).name == "maintenance"
