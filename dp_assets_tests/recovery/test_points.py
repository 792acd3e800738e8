"""Which point a restore or an undrop takes, and what kinds of points and tables it meets."""

import datetime as dt
import json
import random
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from dp_assets.adapters.objects.lake_files import LocalNewFile
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.recovery import History
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup import undropping
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.undropping import plan_undrop, undrop
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import things
from dp_assets_tests.recovery.lakes import fill, ids, readings, write_settings
from dp_assets_tests.usecases.backup.backups import backup, points_of
from dp_assets_tests.usecases.backup.readings import by_pyiceberg

TABLE = "shop.things"
VIEW = {
    "view-uuid": "fa6506c3-7681-40c8-86dc-e36561f83385",
    "format-version": 1,
    "location": "file:/somewhere/old_things",
    "current-version-id": 1,
    "properties": {"comment": "the first ten"},
    "versions": [
        {
            "version-id": 1,
            "timestamp-ms": 1573518431292,
            "schema-id": 1,
            "default-namespace": ["shop"],
            "summary": {"engine-name": "Spark"},
            "representations": [
                {
                    "type": "sql",
                    "sql": "SELECT id FROM things WHERE id < 10",
                    "dialect": "spark",
                }
            ],
        }
    ],
    "schemas": [{"schema-id": 1, "type": "struct", "fields": []}],
    "version-log": [{"timestamp-ms": 1573518431292, "version-id": 1}],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A lakehouse and an empty repository."""
    made = write_settings(
        tmp_path / "lake" / "lakehouse.yaml", repository=str(tmp_path / "repository")
    )
    fill(made)
    init_repository(made, keys=None, now_ms=1)
    return made


@pytest.fixture
def lake(settings: Settings) -> Generator[Lakehouse, None, None]:
    with opened(settings) as found:
        yield found


class PulledPlugError(BaseException):
    """The process ends here."""


def pulled(*_: object, **__: object) -> None:
    raise PulledPlugError


def drop_and_lose(lake: Lakehouse, *, lost: bool = True) -> None:
    folder = Path(lake.catalog.load_table(TABLE).location().removeprefix("file://"))
    lake.catalog.drop_table(TABLE)
    if lost:
        shutil.rmtree(folder)


def test_each_time_and_number_has_its_own_state(
    settings: Settings, lake: Lakehouse, dp: Dp, home: Path
):
    """Three points; the table of the second one cannot be copied whole."""
    table = lake.catalog.load_table(TABLE)
    states = {1: ids(lake)}
    cuts = [backup(settings).record.cut_at_ms]
    table.append(things(300, 301))
    known = {stored.file.path for stored in files_of(settings, 1)}
    (new,) = {task.file.file_path for task in table.scan().plan_files()} - known
    lost = Path(new.removeprefix("file://"))
    kept = lost.read_bytes()
    lost.unlink()
    assert not backup(settings).record.complete
    lost.write_bytes(kept)
    table.append(things(310, 311))
    states[3] = ids(lake)
    cuts.append(backup(settings).record.cut_at_ms)
    at = ("--config", str(settings.path), "restore", "--json")
    asked = {
        (): 3,
        ("--point", "1"): 1,
        ("--as-of", moment(cuts[0])): 1,
        ("--as-of", moment(cuts[1] - 1)): 1,
        ("--as-of", moment(cuts[1])): 3,
        ("--as-of", "2999-01-01"): 3,
    }
    for number, (words, point) in enumerate(asked.items()):
        said = dp(*at, *words, "--to", f"new-{number}")
        assert (said.code, said.json["point"]) == (0, point), (words, said.err)
        with opened(load_settings(home / f"new-{number}" / "lakehouse.yaml", env={})) as new:
            assert ids(new) == states[point]
    early = dp(*at, "--as-of", moment(cuts[0] - 1), "--to", "never")
    assert (early.code, "no complete recovery point" in early.err) == (2, True)
    half = dp(*at, "--point", "2", "--to", "half")
    assert half.code == 3
    assert [one["table"] for one in half.json["refused"]] == [TABLE]
    assert lost.name in half.json["refused"][0]["why"]
    with opened(load_settings(home / "half" / "lakehouse.yaml", env={})) as new:
        assert [str(t) for t in new.tables() if t.namespace == "shop"] == ["shop.orders"]


def moment(at_ms: int) -> str:
    """As a person writes it, in UTC."""
    return dt.datetime.fromtimestamp(at_ms / 1000, tz=dt.UTC).isoformat(timespec="milliseconds")


def files_of(settings: Settings, point: int, table: str = TABLE):
    points = points_of(settings)
    lines = points.manifest(points.record(point)).tables
    return points.content(next(line for line in lines if line.table == table)).files


@pytest.mark.parametrize("lost", [True, False], ids=["files-lost", "files-there"])
@pytest.mark.parametrize("history", [History.REFS, History.CURRENT])
def test_undrop_from_a_part_of_the_history(
    settings: Settings, lake: Lakehouse, history: History, lost: bool
):
    before = by_pyiceberg(lake.catalog.load_table(TABLE).metadata_location)
    refs = lake.catalog.load_table(TABLE).refs()
    backup(settings, history=history)
    drop_and_lose(lake, lost=lost)
    repository = open_for_reading(settings)
    undrop(lake, repository, plan_undrop(lake, repository, TABLE, Wanted()))
    table = lake.catalog.load_table(TABLE)
    after = by_pyiceberg(table.metadata_location)
    assert after == {name: before[name] for name in after}
    kept = {"main", "first", "try"} if history is History.REFS else {"main"}
    assert {name for name in refs if f"ref {name}" in after} >= kept
    table.append(things(400, 402))
    assert ids(lake)[-2:] == [400, 401]
    assert backup(settings).record.complete


def test_an_undrop_with_more_history_is_not_given_less(settings: Settings, lake: Lakehouse):
    """Both points make a metadata file of their own beside the same original."""
    backup(settings, history=History.CURRENT)
    backup(settings, history=History.REFS)
    repository = open_for_reading(settings)
    before = by_pyiceberg(lake.catalog.load_table(TABLE).metadata_location)
    for point, refs in ((1, {"main"}), (2, {"main", "first", "try"})):
        drop_and_lose(lake, lost=False)
        undrop(lake, repository, plan_undrop(lake, repository, TABLE, Wanted(point=point)))
        table = lake.catalog.load_table(TABLE)
        assert set(table.refs()) >= refs, point
        after = by_pyiceberg(table.metadata_location)
        assert after == {name: before[name] for name in after}


@pytest.mark.parametrize("history", [History.ALL, History.REFS])
def test_an_undrop_that_was_killed_is_run_again(
    settings: Settings, lake: Lakehouse, history: History
):
    before = by_pyiceberg(lake.catalog.load_table(TABLE).metadata_location)
    backup(settings, history=history)
    repository = open_for_reading(settings)
    files = len(files_of(settings, 1))
    steps = sorted(random.Random(7).sample(range(files), 3))  # noqa: S311 - no secret
    for step in (*steps, None):
        print("killed before file", step)  # noqa: T201
        drop_and_lose(lake)
        with pytest.MonkeyPatch.context() as patch:
            if step is None:
                patch.setattr(undropping, "register_table", pulled)
            else:
                end_before_file(step, patch)
            with pytest.raises(PulledPlugError):
                undrop(lake, repository, plan_undrop(lake, repository, TABLE, Wanted()))
        assert not lake.catalog.table_exists(TABLE)
        undrop(lake, repository, plan_undrop(lake, repository, TABLE, Wanted()))
        after = by_pyiceberg(lake.catalog.load_table(TABLE).metadata_location)
        assert after == {name: before[name] for name in after}
        assert len(after) == len(before) or history is History.REFS


def end_before_file(number: int, patch: pytest.MonkeyPatch) -> None:
    left = iter(range(number))
    original = LocalNewFile.commit

    def commit(file: LocalNewFile, *, replace: bool = False, durable: bool = True) -> None:
        if next(left, None) is None:
            raise PulledPlugError
        original(file, replace=replace, durable=durable)

    patch.setattr(LocalNewFile, "commit", commit)


def test_what_cannot_be_moved_is_said_by_the_backup_and_restored_in_place(
    settings: Settings, lake: Lakehouse, dp: Dp
):
    table = lake.catalog.load_table(TABLE)
    table.transaction().set_properties({"encryption.key-id": "k"}).commit_transaction()
    rows = ids(lake)
    at = ("--config", str(settings.path))
    for _ in range(2):  # a table that has not changed is said again
        said = dp(*at, "backup", "--json")
        assert (said.code, said.json["complete"]) == (0, True)
        assert f"{TABLE} can be restored to its own paths only" in said.json["warnings"]
    moved = dp(*at, "restore", "--to", "new", "--json")
    assert moved.code == 3
    assert [one["table"] for one in moved.json["refused"]] == [TABLE]
    assert {t["table"] for t in moved.json["tables"]} == {"shop.orders"}
    drop_and_lose(lake)
    assert dp(*at, "undrop", TABLE, "--yes").code == 0
    assert ids(lake) == rows


def test_a_view_comes_with_its_definition(
    settings: Settings, lake: Lakehouse, dp: Dp, tmp_path: Path
):
    """As Java's JDBC catalog keeps them: a row with a pointer; the file is lost with the rest."""
    file = tmp_path / "lake" / "view.metadata.json"
    file.write_text(json.dumps(VIEW))
    add_view(settings, "old_things", f"file://{file}")
    add_view(settings, "lost", f"file://{file}-gone")
    outcome = backup(settings)
    assert outcome.record.complete
    assert outcome.manifest.views == {
        "shop.old_things": VIEW,
        "shop.lost": {"metadata-location": f"file://{file}-gone"},
    }
    assert [w for w in outcome.warnings if "shop.lost" in w and "gone" in w]
    before = readings(settings)
    said = dp("--config", str(settings.path), "restore", "--to", "new")
    assert said.code == 0, said.err
    assert "view shop.old_things" in said.out
    assert readings(load_settings(Path("new/lakehouse.yaml"), env={})) == before


def add_view(settings: Settings, name: str, location: str) -> None:
    engine = create_engine(str(settings.catalog.uri))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name,"
                " metadata_location, iceberg_type) VALUES ('lake', 'shop', :name, :at, 'VIEW')"
            ),
            {"name": name, "at": location},
        )
    engine.dispose()
