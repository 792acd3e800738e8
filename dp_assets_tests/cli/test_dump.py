"""`dp dump` as a person and a script meet it."""

from pathlib import Path

import pytest

from dp_assets.adapters.metastore.metastore_sqlite import DATABASE
from dp_assets.lakehouse import Lakehouse
from dp_assets.usecases.dumping import dumps_folder
from dp_assets_tests.adapters.dumps import flip
from dp_assets_tests.cli.conftest import Dp


@pytest.fixture(autouse=True)
def _lake(lake: Lakehouse) -> None:
    """A lakehouse is there."""


def test_a_dump_is_made_proven_and_listed(dp: Dp, lake: Lakehouse):
    made = dp("dump", "--json")
    assert (made.code, made.json["restores"], made.json["kind"]) == (0, True, "sqlite")
    (row,) = dp("dump", "--list", "--json").json
    assert (row["dump"], row["restores"]) == (Path(made.json["dump"]).name, True)
    assert (dumps_folder(lake.settings) / row["dump"] / DATABASE).is_file()


def test_for_people(dp: Dp):
    said = dp("dump")
    assert said.code == 0
    assert "restores       yes" in said.out
    assert "-sqlite" in dp("dump", "--list").out


def test_a_damaged_dump_ends_with_1_and_says_what(dp: Dp):
    folder = Path(dp("dump", "--json").json["dump"])
    assert dp("dump", "--check", folder.name).code == 0
    flip(folder / DATABASE)
    said = dp("dump", "--check", str(folder))
    assert said.code == 1
    assert "no: catalog.db was altered" in said.out
    assert "catalog.db was altered" in dp("dump", "--list").out


def test_a_dump_comes_back_next_door_and_not_over_something(dp: Dp, home: Path):
    name = Path(dp("dump", "--json").json["dump"]).name
    to = f"sqlite:///{home}/next/catalog.db"
    done = dp("dump", "--restore", name, "--to", to)
    assert done.code == 0
    assert "dp init --new-identity" in done.out
    assert (home / "next" / "catalog.db").is_file()
    again = dp("dump", "--restore", name, "--to", f"sqlite:///{home}/.lakehouse/catalog.db")
    assert again.code == 3
    assert "is not empty" in again.err


def test_dumps_are_listed_with_the_catalog_gone(dp: Dp, lake: Lakehouse):
    dp("dump")
    (lake.settings.state_dir / "catalog.db").unlink()
    assert len(dp("dump", "--list", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--list", "--check", "x"), "are three things"),
        (("--restore", "x"), "--restore and --to belong together"),
        (("--to", "sqlite:///x"), "--restore and --to belong together"),
        (("--check", "missing"), "there is no dump missing"),
    ],
)
def test_bad_usage(dp: Dp, arguments: tuple[str, ...], says: str):
    said = dp("dump", *arguments)
    assert (said.code, says in said.err) == (2, True)
