import dagster as dg
import pytest

from dp_assets.defs.lake.automation import automation, default_status, tables_moved_sensor

SENSOR = tables_moved_sensor(dg.DefaultSensorStatus.STOPPED)


class Ticks:
    """The sensor as the daemon runs it: each tick gets the cursor the last one left."""

    def __init__(self, lake) -> None:
        self._lake = lake
        self._cursor = None

    def tick(self) -> int:
        """How many runs the sensor asked for."""
        context = dg.build_sensor_context(
            instance=self._lake.instance, cursor=self._cursor, resources={"house": self._lake.house}
        )
        with context:
            result = SENSOR.evaluate_tick(context)
        self._cursor = result.cursor or self._cursor
        return len(result.run_requests)


@pytest.fixture
def ticks(lake):
    return Ticks(lake)


def test_an_idle_lake_stays_idle(three_tables, ticks):
    three_tables.sweep()
    assert [ticks.tick() for _ in range(100)] == [0] * 100


def test_one_request_per_change(three_tables, ticks):
    assert [ticks.tick(), ticks.tick()] == [1, 0]
    three_tables.sweep()
    assert ticks.tick() == 0
    three_tables.create("raw.new")
    assert [ticks.tick(), ticks.tick()] == [1, 0]
    table = three_tables.catalog.load_table("raw.a")
    table.append(table.scan().to_arrow())
    assert [ticks.tick(), ticks.tick()] == [1, 0]
    three_tables.catalog.drop_table("raw.b")
    assert [ticks.tick(), ticks.tick()] == [1, 0]


def test_renamed_and_renamed_back_is_asked_for_both_times(three_tables, ticks):
    three_tables.sweep()
    ticks.tick()
    asked = []
    for source, target in [("raw.a", "raw.z"), ("raw.z", "raw.a")] * 2:
        three_tables.catalog.rename_table(source, target)
        asked.append(ticks.tick())
        three_tables.sweep()
    assert asked == [1, 1, 1, 1]


def test_commits_to_our_own_tables_ask_for_nothing(three_tables, ticks):
    three_tables.create("ops.journal")
    three_tables.sweep()
    table = three_tables.catalog.load_table("ops.journal")
    table.append(table.scan().to_arrow())
    assert ticks.tick() == 0
    three_tables.create("ops.another")
    assert ticks.tick() == 1


def test_before_the_lakehouse_is_made_there_is_nothing_to_do(tmp_path, lake, ticks):
    lake.catalog.engine.dispose()
    (tmp_path / ".lakehouse" / "catalog.db").unlink()
    assert ticks.tick() == 0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("environment: test\n", dg.DefaultSensorStatus.STOPPED),
        ("schedules:\n  enabled: true\n", dg.DefaultSensorStatus.RUNNING),
    ],
)
def test_one_setting_starts_it(lake, monkeypatch, text, status):
    lake.config.write_text(text)
    monkeypatch.setenv("DP_CONFIG", str(lake.config))
    assert default_status() is status
    assert automation
