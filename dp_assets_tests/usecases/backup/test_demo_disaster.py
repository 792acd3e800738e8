"""The demo's disaster: only in a lakehouse of the demo, once, and everything comes back."""

import pyarrow as pa
import pytest

from dp_assets.core.errors import LakeError, PermanentError
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup import demo_disaster
from dp_assets.usecases.backup.backing_up import back_up, wanted_by
from dp_assets.usecases.backup.demo_disaster import finish, is_over, strike_and_restore
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_reading, open_for_writing
from dp_assets.usecases.initialising import initialise

ROWS = pa.table({"id": pa.array(range(50), pa.int64()), "note": pa.array(["x"] * 50)})


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.delenv("DP_STATE", raising=False)
    (tmp_path / "lakehouse.yaml").write_text("environment: test\n")
    return load_settings(tmp_path / "lakehouse.yaml")


def made(settings, *, origin=DEMO, backed_up=True):
    """A lakehouse with the victim in two snapshots, and a point of it."""
    initialise(settings, origin=origin)
    init_repository(settings, keys=None, now_ms=now_ms())
    with opened(settings) as lake:
        lake.catalog.create_namespace_if_not_exists("raw")
        table = lake.catalog.create_table("raw.flights", ROWS.schema)
        table.append(ROWS)
        table.append(ROWS)
        if backed_up:
            back_up(lake, open_for_writing(settings), wanted=wanted_by(settings), run_id="test")


def content(settings):
    """What is on the disk of the table: name and bytes of every file that a snapshot needs."""
    with opened(settings) as lake:
        table = lake.catalog.load_table("raw.flights")
        return table.metadata_location, table.scan().to_arrow().sort_by("id")


def test_the_table_comes_back_with_rows_history_and_pointer(settings):
    made(settings)
    before = content(settings)
    with opened(settings) as lake:
        happened = strike_and_restore(lake, open_for_reading(settings))
    assert happened.deleted > 5
    assert happened.before == happened.after
    assert content(settings) == before
    assert is_over(settings)


def test_another_lakehouse_is_never_touched(settings):
    made(settings, origin="")
    before = content(settings)
    with opened(settings) as lake, pytest.raises(PermanentError, match="not made by the demo"):
        strike_and_restore(lake, open_for_reading(settings))
    assert content(settings) == before
    assert not is_over(settings)


def test_a_clone_of_the_demo_is_never_touched(settings, tmp_path):
    made(settings)
    before = content(settings)
    clone = tmp_path / "clone" / "lakehouse.yaml"
    clone.parent.mkdir()
    database = tmp_path / ".lakehouse" / "catalog.db"
    (clone.parent / "catalog.db").write_bytes(database.read_bytes())
    clone.write_text("catalog: {uri: 'sqlite:///catalog.db'}\n")
    with opened(load_settings(clone)) as lake, pytest.raises(LakeError, match="not lakehouse"):
        strike_and_restore(lake, open_for_reading(settings))
    assert content(settings) == before


def test_without_a_point_nothing_is_destroyed(settings):
    made(settings, backed_up=False)
    before = content(settings)
    with opened(settings) as lake, pytest.raises(LakeError):
        strike_and_restore(lake, open_for_reading(settings))
    assert content(settings) == before


def test_a_table_outside_of_the_warehouse_is_not_deleted(settings, tmp_path):
    made(settings, backed_up=False)
    with opened(settings) as lake:
        lake.catalog.drop_table("raw.flights")
        elsewhere = lake.catalog.create_table(
            "raw.flights", ROWS.schema, location=f"file://{tmp_path}/elsewhere"
        )
        elsewhere.append(ROWS)
        back_up(lake, open_for_writing(settings), wanted=wanted_by(settings), run_id="test")
        with pytest.raises(PermanentError, match="not inside"):
            strike_and_restore(lake, open_for_reading(settings))
    assert len(content(settings)[1]) == len(ROWS)


@pytest.mark.parametrize("moment", ["before the drop", "after the drop", "after the files"])
def test_a_killed_demo_is_put_right_by_the_next(settings, monkeypatch, moment):
    made(settings)
    before = content(settings)

    class KilledError(Exception):
        pass

    def killed(*_args, **_kwargs):
        raise KilledError

    with opened(settings) as lake:
        if moment == "before the drop":
            monkeypatch.setattr(lake.catalog, "drop_table", killed)
        elif moment == "after the drop":
            monkeypatch.setattr(demo_disaster.shutil, "rmtree", killed)
        else:
            monkeypatch.setattr(demo_disaster, "undrop", killed)
        with pytest.raises(KilledError):
            strike_and_restore(lake, open_for_reading(settings))
    monkeypatch.undo()
    assert not is_over(settings)
    with opened(settings) as lake:
        finish(lake, open_for_reading(settings))
        finish(lake, open_for_reading(settings))
    assert content(settings) == before
    assert is_over(settings)
