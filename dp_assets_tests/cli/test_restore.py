"""`dp restore`, `dp undrop`, `dp rollback`: from the command line, on a real backup."""

import shutil
from pathlib import Path

import pytest

from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.backing_up import back_up, wanted_by
from dp_assets.usecases.backup.making_repository import NewKeys, init_repository
from dp_assets.usecases.backup.repositories import open_for_writing
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import make_things, things

SETTINGS = """\
repository:
  url: {folder}/repository
"""
SEALED = """\
  recipients: [{key}]
  naming_key: file:{folder}/naming.key
"""


@pytest.fixture
def backed_up(home: Path, dp: Dp) -> Lakehouse:
    """A lakehouse of two tables, with one recovery point outside its folders."""
    (home / "lakehouse.yaml").write_text(SETTINGS.format(folder=home))
    return _back_up(dp)


def _back_up(dp: Dp, keys: NewKeys | None = None) -> Lakehouse:
    assert dp("init").code == 0
    settings = load_settings()
    init_repository(settings, keys=keys, now_ms=1)
    return _point()


def _point() -> Lakehouse:
    settings = load_settings()
    with opened(settings) as lake:
        if not lake.catalog.namespace_exists("shop"):
            table = make_things(lake.catalog)
            table.transaction().set_properties({"dp.adopted": "true"}).commit_transaction()
            make_things(lake.catalog, name="others")
        outcome = back_up(
            lake, open_for_writing(settings), wanted=wanted_by(settings), run_id="test"
        )
    assert outcome.record.complete
    return lake


def rows(settings_file: Path, table: str = "shop.things") -> int:
    with opened(load_settings(settings_file)) as lake:
        return lake.catalog.load_table(table).scan().to_arrow().num_rows


def destroy(home: Path) -> None:
    """Catalog, files, settings: everything but the repository."""
    shutil.rmtree(home / ".lakehouse")
    (home / "lakehouse.yaml").unlink()


def test_everything_is_rebuilt_from_the_address_alone(home: Path, dp: Dp, backed_up: Lakehouse):
    destroy(home)
    said = dp("restore", "--repository", f"{home}/repository", "--to", "rebuilt", "--json")
    assert said.code == 0, said.err
    assert {t["restored_as"]: t["rows"] for t in said.json["tables"]} == {
        "shop.others": 24,
        "shop.things": 24,
    }
    new = home / "rebuilt" / "lakehouse.yaml"
    assert rows(new) == rows(new, "shop.others") == 24
    assert not (home / ".lakehouse").exists()
    with opened(load_settings(new)) as lake:
        table = lake.catalog.load_table("shop.things")
        table.append(things(50, 55))
        table.delete("id = 50")
    assert rows(new) == 28
    asked = dp(
        "--config", str(new), "query", "SELECT count(*) AS n FROM shop.things", "--format", "csv"
    )
    assert asked.out.split() == ["n", "28"]
    assert dp("--config", str(new), "doctor").code == 0


def test_an_encrypted_one_needs_its_key(home: Path, dp: Dp):
    settings = home / "lakehouse.yaml"
    settings.write_text(SETTINGS.format(folder=home))
    assert dp("init").code == 0
    keys = NewKeys(home / "naming.key", home / "me.key")
    made = init_repository(load_settings(), keys=keys, now_ms=1)
    sealed = SETTINGS + SEALED
    settings.write_text(sealed.format(folder=home, key=made.recipients[0]))
    _point()
    destroy(home)
    (home / "naming.key").unlink()
    command = ("restore", "--repository", f"{home}/repository", "--to", "rebuilt")
    said = dp(*command)
    assert (said.code, "no private key was given" in said.err) == (2, True)
    assert not (home / "rebuilt").exists()
    said = dp(*command, "--key", str(home / "me.key"))
    assert said.code == 0, said.err
    assert rows(home / "rebuilt" / "lakehouse.yaml") == 24


def test_a_dry_run_makes_nothing(home: Path, dp: Dp, backed_up: Lakehouse):
    said = dp("restore", "--to", "rebuilt", "--dry-run")
    assert said.code == 0, said.err
    assert "shop.things" in said.out
    assert not (home / "rebuilt").exists()


def test_a_copy_beside_the_original(home: Path, dp: Dp, backed_up: Lakehouse):
    said = dp("restore", "--table", "shop.*", "--rename", "shop.*=copy.*")
    assert said.code == 0, said.err
    assert "a copy beside the original" in said.out
    settings = home / "lakehouse.yaml"
    assert rows(settings, "copy.things") == rows(settings, "shop.things") == 24


def test_an_existing_table_is_replaced_only_with_a_yes(home: Path, dp: Dp, backed_up: Lakehouse):
    settings = home / "lakehouse.yaml"
    with opened(load_settings()) as lake:
        lake.catalog.load_table("shop.things").delete("id > 3")
    said = dp("restore", "--table", "shop.things")
    assert said.code == 3
    assert "there is a table shop.things already" in said.err
    said = dp("restore", "--table", "shop.things", "--replace")
    assert (said.code, "nobody to answer" in said.err) == (2, True)
    assert rows(settings) == 4
    said = dp("restore", "--table", "shop.things", "--replace", "--yes")
    assert said.code == 0, said.err
    assert rows(settings) == 24


def test_what_cannot_come_back_ends_with_3_and_names_it(home: Path, dp: Dp, backed_up: Lakehouse):
    said = dp("restore", "--json")
    assert said.code == 3
    assert {one["table"] for one in said.json["refused"]} == {"shop.others", "shop.things"}


def test_refuses_with_2_and_says_why(dp: Dp, backed_up: Lakehouse):
    for arguments, said in (
        (("--point", "9"), "no recovery point 9"),
        (("--point", "1", "--as-of", "2013-01-01"), "two answers"),
        (("--as-of", "1970-01-01"), "no complete recovery point at or before"),
        (("--as-of", "7"), "not a time"),
        (("--table", "no.such"), "no table no.such"),
        (("--rename", "a"), "not a renaming"),
        (("--to", "a", "--to", "b"), "names too much"),
        (("--to", "ftp://x"), "not a place"),
        (("--to", "repository"), "is not empty and no lakehouse"),
        (("--resume", "--to", "new"), "no restore to resume"),
    ):
        ended = dp("restore", *arguments)
        assert (ended.code, said in ended.err) == (2, True), ended.err


def test_a_catalog_and_a_place_for_the_files(home: Path, dp: Dp, backed_up: Lakehouse):
    said = dp("restore", "--to", f"sqlite:///{home}/other.db", "--to", f"{home}/files", "--json")
    assert said.code == 0, said.err
    assert (home / "other.db").exists()
    assert all(t["location"].startswith(f"file://{home}/files/") for t in said.json["tables"])


def test_undrop(home: Path, dp: Dp, backed_up: Lakehouse):
    with opened(load_settings()) as lake:
        location = lake.catalog.load_table("shop.things").location()
        lake.catalog.drop_table("shop.things")
    shutil.rmtree(location.removeprefix("file://"))
    said = dp("undrop", "shop.things", "--dry-run", "--json")
    assert said.code == 0, said.err
    assert len(said.json["missing"]) == said.json["files"]
    assert not said.json["done"]
    lost = len(said.json["metadata_log_lost"])
    assert lost > 1
    said = dp("undrop", "shop.things")
    assert (said.code, "nobody to answer" in said.err) == (2, True)
    done = dp("undrop", "shop.things", "--yes")
    assert done.code == 0
    assert f"that are gone and stay so: {lost}." in " ".join(done.out.split())
    assert rows(home / "lakehouse.yaml") == 24
    assert "nothing to do" in dp("undrop", "shop.things", "--yes").out


def test_rollback(home: Path, dp: Dp, backed_up: Lakehouse):
    with opened(load_settings()) as lake:
        first = lake.catalog.load_table("shop.things").metadata.snapshots[0].snapshot_id
    said = dp("rollback", "shop.things", "--to", str(first), "--dry-run")
    assert said.code == 0, said.err
    assert rows(home / "lakehouse.yaml") == 24
    said = dp("rollback", "shop.things", "--to", str(first), "--yes", "--json")
    assert (said.code, said.json["rows"], said.json["rows_before"]) == (0, 20, 24)
    assert rows(home / "lakehouse.yaml") == 20
    assert dp("rollback", "shop.things", "--to", "7", "--yes").code == 2
    assert dp("rollback", "shop.others", "--to", str(first), "--yes").code == 3
