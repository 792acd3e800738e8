"""`maintenance/health` as Dagster runs it, over a real lakehouse."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from dp_assets import keys
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.defs.lake.assets import inventory
from dp_assets.defs.maintenance import checks
from dp_assets.defs.maintenance.assets import health
from dp_assets.defs.maintenance.automation import automation, health_due_sensor
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.sweeping import state_file

ROWS = pa.table({"id": pa.array([1, 2], pa.int64())})
SENSOR = health_due_sensor(dg.DefaultSensorStatus.STOPPED)
CHECKS = (checks.every_table_measured, checks.none_needs_maintenance)


@dataclass
class Lake:
    """A real lakehouse on disk, and a Dagster instance beside it."""

    config: Path
    lake: Lakehouse
    instance: dg.DagsterInstance
    cursor: str | None = None

    @property
    def house(self) -> LakehouseResource:
        return LakehouseResource(config_file=str(self.config))

    def create(self, name: str, appends: int = 1) -> None:
        self.lake.catalog.create_namespace_if_not_exists(name.rpartition(".")[0])
        self.lake.catalog.create_table(name, ROWS.schema)
        self.append(name, appends)

    def append(self, name: str, times: int = 1) -> None:
        for _ in range(times):
            self.lake.catalog.load_table(name).append(ROWS)

    def make(self, *assets) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [*assets],
            instance=self.instance,
            resources={"house": self.house},
            raise_on_error=False,
        )

    def sweep(self) -> dg.ExecuteInProcessResult:
        return self.make(health, *CHECKS)

    def flush(self) -> None:
        self.lake.flush(at_once=True)

    def tick(self) -> int:
        """How many runs the sensor asked for."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"house": self.house}
        ) as context:
            result = SENSOR.evaluate_tick(context)
        self.cursor = result.cursor or self.cursor
        return len(result.run_requests or ())

    def observed(self, name: str):
        """What sweeps said on the page of a table; the inventory has observations there, too."""
        key = keys.discovered(*name.split(".", 1))
        records = self.instance.fetch_observations(key, limit=100).records
        found = [record.asset_observation for record in records]
        return [one for one in found if "burden_bytes" in one.metadata]


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.delenv("DP_STATE", raising=False)
    config = tmp_path / "lakehouse.yaml"
    config.write_text("environment: test\n")
    settings = load_settings(config, env={})
    initialise(settings)
    with opened(settings) as opened_lake, dg.DagsterInstance.ephemeral() as instance:
        found = Lake(config, opened_lake, instance)
        found.create("raw.a", appends=8)
        found.create("raw.b")
        yield found


def verdicts(result) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


def metadata(result):
    [made] = result.asset_materializations_for_node("maintenance__health")
    return {name: value.value for name, value in made.metadata.items()}


def test_one_sweep_records_an_event_per_table_that_moved(lake):
    first = lake.sweep()
    assert first.success
    assert metadata(first)["measured"] == 2
    [seen] = lake.observed("raw.a")
    assert seen.metadata["files"].value == 8
    assert "8 of 8 data files are smaller" in seen.metadata["causes"].value
    assert "█" in seen.metadata["sizes"].value
    assert "raw.a" in metadata(first)["worst"]
    lake.append("raw.b")
    second = lake.sweep()
    assert (metadata(second)["measured"], metadata(second)["unchanged"]) == (1, 1)
    assert (len(lake.observed("raw.a")), len(lake.observed("raw.b"))) == (1, 2)


def test_an_idle_lake_stays_idle(lake):
    """Runs, flushes and ticks without a commit: no row, no event, no snapshot, no run."""
    assert lake.make(inventory).success
    assert lake.tick() == 1
    lake.sweep()
    lake.flush()
    pointers = list_pointers(lake.lake.catalog)
    assert [lake.tick() for _ in range(100)] == [0] * 100
    for _ in range(3):
        assert metadata(lake.sweep())["measured"] == 0
        lake.flush()
    assert list_pointers(lake.lake.catalog) == pointers
    assert lake.lake.catalog.load_table(TABLE_HEALTH.table.identifier).scan().count() == 2
    assert len(lake.observed("raw.a")) == 1


def test_the_sensor_asks_once_per_change(lake):
    assert [lake.tick(), lake.tick()] == [1, 0]
    lake.sweep()
    assert lake.tick() == 0
    lake.append("raw.a")
    assert [lake.tick(), lake.tick()] == [1, 0]
    lake.append("raw.b")  # before the sweep was made
    assert [lake.tick(), lake.tick()] == [1, 0]


def test_the_sensor_does_not_ask_for_ever_about_a_broken_table(lake):
    pointer = lake.lake.catalog.load_table("raw.b").metadata_location
    local_path(pointer).write_bytes(b"")
    assert lake.tick() == 1
    lake.sweep()
    assert [lake.tick() for _ in range(3)] == [0, 0, 0]


def test_before_the_lakehouse_is_made_the_sensor_waits(tmp_path):
    config = tmp_path / "new" / "lakehouse.yaml"
    config.parent.mkdir()
    config.write_text("environment: test\n")
    resources = {"house": LakehouseResource(config_file=str(config))}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources=resources) as context,
    ):
        assert "there is no lakehouse" in SENSOR.evaluate_tick(context).skip_message


def test_the_check_names_the_worst_tables_as_a_warning(lake):
    found = verdicts(lake.sweep())
    assert found["every_table_measured"].passed
    worst = found["none_needs_maintenance"]
    assert (worst.passed, worst.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "1 of 2 tables need maintenance, worst first: raw.a" in worst.description
    assert "8 of 8 data files" in worst.metadata["worst"].value


def test_the_check_looks_again_and_does_not_trust_the_sweep(lake):
    lake.sweep()
    table = lake.lake.catalog.load_table("raw.a")
    table.overwrite(table.scan().to_arrow())
    result = checks.none_needs_maintenance(house=lake.house)
    assert result.passed


def test_a_table_that_cannot_be_measured_is_an_error_and_no_failed_run(lake):
    pointer = lake.lake.catalog.load_table("raw.b").metadata_location
    local_path(pointer).write_bytes(b"")
    result = lake.sweep()
    assert result.success
    found = verdicts(result)["every_table_measured"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "raw.b: " in found.metadata["cannot_be_measured"].value
    assert "it is empty" in metadata(result)["cannot_be_measured"]
    assert lake.observed("raw.b") == []


def test_a_table_made_since_the_sweep_is_a_warning(lake):
    lake.sweep()
    lake.create("raw.younger")
    found = checks.every_table_measured(house=lake.house)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "raw.younger" in found.metadata["moved"].value


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("content", [None, b"{"])
def test_a_check_without_a_sweep_raises(lake, check, content):
    if content:
        state_file(lake.lake.settings).write_bytes(content)
    with pytest.raises(dg.Failure):
        check(house=lake.house)


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_cannot_read_the_catalog_raises(lake, check):
    lake.sweep()
    database = lake.lake.settings.state_dir / "catalog.db"
    lake.lake.catalog.engine.dispose()
    database.write_bytes(b"not a database" * 100)
    with pytest.raises(dg.Failure):
        check(house=lake.house)


def test_a_table_whose_name_has_a_dot_is_found_again(lake):
    table = lake.lake.catalog.create_table(("raw", "x.y"), ROWS.schema)
    for _ in range(9):
        table.append(ROWS)
    found = verdicts(lake.sweep())["none_needs_maintenance"]
    assert "raw.x.y, raw.a" in found.description
    assert len(lake.observed("raw.x.y")) == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [("environment: test\n", "STOPPED"), ("schedules:\n  enabled: true\n", "RUNNING")],
)
def test_one_setting_starts_the_sensor(tmp_path, monkeypatch, text, status):
    config = tmp_path / "lakehouse.yaml"
    config.write_text(text)
    monkeypatch.setenv("DP_CONFIG", str(config))
    [sensor] = automation().sensors
    assert sensor.default_status.value == status
