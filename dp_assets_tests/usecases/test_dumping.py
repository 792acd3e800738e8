"""Dumps of a real lakehouse: made, checked, kept, and brought back next door."""

import json
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.adapters.metastore.dump_folder import CHECK, RECORD, read_check
from dp_assets.adapters.metastore.metastore_sqlite import DATABASE
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings
from dp_assets.usecases import dumping
from dp_assets.usecases.dumping import (
    check_dump,
    dump,
    dumps_folder,
    list_dumps,
    restore_dump,
)
from dp_assets.usecases.registering import adopt
from dp_assets_tests.adapters.dumps import flip
from dp_assets_tests.adapters.real_lakehouse import (
    ORDERS,
    content,
    make_lakehouse,
    pointer_of,
    rows_of,
    settings_in,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_lakehouse(tmp_path)


@pytest.fixture
def lake(settings: Settings) -> Generator[Lakehouse, None, None]:
    with opened(settings) as lake:
        yield lake


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Set the clock, in days since 1970; it stands still."""

    def set_to(day: float) -> None:
        monkeypatch.setattr(dumping, "now_ms", lambda: int(day * 86_400_000))

    set_to(20_000)
    return set_to


def test_a_dump_is_checked_at_once_and_the_outcome_kept(lake: Lakehouse, at):
    done = dump(lake)
    assert done.folder.name == "20241004T000000Z-sqlite"
    assert done.dumped.pointers == {ORDERS: pointer_of(lake.settings)}
    assert read_check(done.folder) == done.check
    assert (done.check.good, done.check.pointers) == (True, 1)
    assert [stored.folder for stored in list_dumps(lake.settings)] == [done.folder]


def test_a_failed_dump_leaves_no_folder(lake: Lakehouse, settings: Settings, at):
    lake.catalog  # noqa: B018 - open while the database is whole
    (settings.state_dir / "catalog.db").write_bytes(b"gone" * 2000)
    with pytest.raises(PermanentError, match="not a database"):
        dump(lake)
    assert list(dumps_folder(settings).iterdir()) == []


def test_two_dumps_in_one_second_are_one_and_an_error(lake: Lakehouse, at):
    done = dump(lake)
    before = content(done.folder)
    with pytest.raises(TransientError, match="by somebody else this second"):
        dump(lake)
    assert content(done.folder) == before


def test_old_dumps_go_and_two_good_ones_stay(lake: Lakehouse, at):
    for day in (20_000, 20_010, 20_050):
        at(day)
        dump(lake)
    names = [stored.folder.name for stored in list_dumps(lake.settings)]
    assert names == ["20241014T000000Z-sqlite", "20241123T000000Z-sqlite"]
    assert all(check_dump(stored.folder).good for stored in list_dumps(lake.settings))


def test_a_killed_dump_is_listed_and_goes_after_a_day(lake: Lakehouse, at):
    killed = dump(lake).folder
    (killed / RECORD).unlink()
    (stored,) = list_dumps(lake.settings)
    assert (stored.finished, "is unfinished" in stored.problem) == (False, True)
    at(20_002)
    assert dump(lake).removed == (killed.name,)


def test_other_folders_are_left_alone(lake: Lakehouse, at):
    other = dumps_folder(lake.settings) / "mine"
    other.mkdir(parents=True)
    dump(lake)
    at(20_100)
    dump(lake)
    assert other.is_dir()


def test_a_dump_that_got_damaged_is_found_and_no_longer_counts(lake: Lakehouse, at):
    folder = dump(lake).folder
    flip(folder / DATABASE)
    check = check_dump(folder)
    assert check.problems == (f"{DATABASE} was altered: its SHA-256 is another one",)
    (stored,) = list_dumps(lake.settings)
    assert stored.check == check


def test_a_check_of_another_dump_does_not_count(lake: Lakehouse, at):
    first = dump(lake).folder
    at(20_001)
    second = dump(lake).folder
    shutil.copy(first / CHECK, second / CHECK)
    assert read_check(second) is None


def test_restored_next_door_the_tables_read_the_same(lake: Lakehouse, tmp_path: Path, at):
    folder = dump(lake).folder
    done = restore_dump(folder, f"sqlite:///{tmp_path}/door/catalog.db")
    assert (done.catalog, done.tables, done.left_out) == ("lake", 1, ())
    assert rows_of(next_door(tmp_path)) == rows_of(lake.settings) == 30


def next_door(tmp_path: Path) -> Settings:
    """Settings of the restored dump, with the warehouse of the original."""
    (tmp_path / "door").mkdir(exist_ok=True)
    uri = f"sqlite:///{tmp_path}/door/catalog.db"
    root = f"{tmp_path}/.lakehouse/warehouse"
    return settings_in(tmp_path / "door", f"catalog:\n  uri: {uri}\nwarehouse:\n  root: {root}\n")


def test_whatever_destroys_refuses_in_a_restored_dump(lake: Lakehouse, tmp_path: Path, at):
    folder = dump(lake).folder
    assert lake.identity is not None
    restore_dump(folder, f"sqlite:///{tmp_path}/door/catalog.db")
    with opened(next_door(tmp_path)) as copy:
        assert copy.identity == lake.identity  # it says that it is the original
        refused = f"this is not lakehouse {lake.identity.lakehouse_id} itself .catalog address"
        with pytest.raises(PermanentError, match=refused):
            copy.require_identity("expire snapshots")
        with pytest.raises(PermanentError, match=refused):
            adopt(copy, ORDERS)
    lake.require_identity("expire snapshots")


def test_a_damaged_dump_is_not_restored(lake: Lakehouse, tmp_path: Path, at):
    folder = dump(lake).folder
    flip(folder / DATABASE)
    with pytest.raises(PermanentError, match=r"is damaged: catalog\.db was altered"):
        restore_dump(folder, f"sqlite:///{tmp_path}/new.db")
    assert not (tmp_path / "new.db").exists()


def test_restoring_over_the_original_is_refused(lake: Lakehouse, settings: Settings, at):
    folder, before = dump(lake).folder, pointer_of(settings)
    with pytest.raises(PermanentError, match="is not empty"):
        restore_dump(folder, settings.catalog.uri)
    assert pointer_of(settings) == before


@pytest.mark.parametrize("uri", ["", "ftp://host/x", "sqlite://", "u:hunter2@host"])
def test_what_is_no_address_of_a_catalog(lake: Lakehouse, uri: str, at):
    with pytest.raises(ConfigurationError) as raised:
        restore_dump(dump(lake).folder, uri)
    assert "hunter2" not in str(raised.value)


def test_the_record_says_what_was_dumped(lake: Lakehouse, at):
    done = dump(lake)
    record = json.loads((done.folder / RECORD).read_text())["dump"]
    assert record["address"] == f"sqlite:///{lake.settings.state_dir}/catalog.db"
    assert record["rows"]["iceberg_tables"] == record["pointers"] == 1
    assert [f["path"] for f in record["files"]] == [DATABASE, "catalog.json"]
