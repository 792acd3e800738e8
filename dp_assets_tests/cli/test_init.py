"""`dp init`: what it makes, that it makes it once, and when it refuses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from dp_assets.adapters.catalogs import address
from dp_assets.domains.lake.identity import NAMESPACE
from dp_assets.lakehouse import opened
from dp_assets_tests.adapters.ordinary_user import open_folder


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def recorded() -> dict[str, str]:
    with opened() as lake:
        return dict(lake.catalog.load_namespace_properties(NAMESPACE))


def test_it_makes_everything_that_a_lakehouse_is(dp, home):
    done = dp("init", "--origin", "demo")
    assert done.code == 0
    state = home / ".lakehouse"
    assert (state / "warehouse").is_dir()
    assert "telemetry:" in (state / "dagster" / "dagster.yaml").read_text()
    found = recorded()
    assert len(found["dp.id"]) == 36
    assert found["dp.catalog-address"] == f"sqlite:///{state}/catalog.db"
    assert found["dp.warehouse"] == f"file://{state}/warehouse"
    assert found["dp.origin"] == "demo"
    assert found["dp.id"] in done.out
    with opened() as lake:
        assert lake.require_identity("test").lakehouse_id == found["dp.id"]


def test_a_second_time_changes_nothing(dp, home):
    first = dp("init", "--json").json
    before = tree(home)
    again = dp("init")
    assert again.code == 0
    assert "there already; nothing was changed" in again.out
    assert tree(home) == before
    second = dp("init", "--json").json
    assert second == {**first, "made": []}
    assert len(first["made"]) == 4


def test_the_origin_is_recorded_once(dp):
    dp("init")
    again = dp("init", "--origin", "demo")
    assert "its origin stays ''" in again.out
    assert recorded()["dp.origin"] == ""


def test_what_is_missing_is_made_again_and_the_rest_kept(dp, home):
    dp("init")
    settings = home / ".lakehouse" / "dagster" / "dagster.yaml"
    shutil.rmtree(home / ".lakehouse" / "warehouse")
    settings.write_text("# mine\n")
    identity = recorded()
    done = dp("init")
    assert (home / ".lakehouse" / "warehouse").is_dir()
    assert settings.read_text() == "# mine\n"
    assert recorded() == identity
    assert done.out.count("made ") == 1


def test_a_namespace_that_was_there_before_gets_the_identity(dp, lake):
    """As after a run on a catalog that nobody initialised."""
    lake.catalog.update_namespace_properties(
        NAMESPACE, removals={"dp.id", "dp.origin"}, updates={"note": "kept"}
    )
    assert dp("init").code == 0
    assert recorded()["note"] == "kept"
    assert recorded()["dp.id"]


def copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone next door, which the settings point at from now on."""
    clone = home / "clone"
    shutil.copytree(home / ".lakehouse", clone)
    monkeypatch.setenv("DP_STATE", str(clone))
    return clone


def test_a_copy_is_refused_and_says_what_differs(dp, home, monkeypatch):
    dp("init")
    clone = copied(home, monkeypatch)
    before = tree(clone)
    refused = dp("init")
    assert refused.code == 3
    assert f"recorded sqlite:///{home}/.lakehouse/catalog.db" in refused.err
    assert f"settings say sqlite:///{clone}/catalog.db" in refused.err
    assert f"settings say file://{clone}/warehouse" in refused.err
    assert "--new-identity" in refused.err
    assert tree(clone) == before


def test_a_copy_becomes_its_own_and_remembers_its_original(dp, home, monkeypatch):
    dp("init", "--origin", "demo")
    original = recorded()
    clone = copied(home, monkeypatch)
    unanswered = dp("init", "--new-identity")
    assert unanswered.code == 2
    assert "--yes" in unanswered.err
    assert recorded() == original
    assert dp("init", "--new-identity", "--yes").code == 0
    found = recorded()
    assert found["dp.id"] != original["dp.id"]
    assert found["dp.cloned-from"] == original["dp.id"]
    assert found["dp.origin"] == "demo"
    assert found["dp.warehouse"] == f"file://{clone}/warehouse"
    assert dp("init").code == 0


def test_a_copy_whose_tables_are_still_the_originals_is_asked_about_them(
    dp, home, lake, monkeypatch
):
    lake.catalog.create_namespace("raw")
    lake.catalog.create_table(("raw", "things"), pa.schema([pa.field("id", pa.int64())]))
    copied(home, monkeypatch)
    asked = dp("init", "--new-identity")
    assert asked.code == 2
    assert "1 tables of this copy, raw.things the first, still have their files" in asked.err


def test_what_is_recorded_of_an_address_holds_no_password():
    assert address("postgresql://u:hunter2@db:5432/lake?x=y") == "postgresql://db:5432/lake"


# A rehearsal imports everything while it may still be read: the interpreter may be root's alone.
AS_ORDINARY_USER = """
import os, sys, getpass
from dp_assets.cli.main import main
main(["init"])
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
os.environ["DP_STATE"] = "state"
sys.exit(main(["init"]))
"""


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "unreadable"])
def test_a_folder_that_denies_us_is_named_with_the_way_out(mode):
    with open_folder() as folder:
        state = folder / "state"
        state.mkdir(mode=mode)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "DP_CONFIG": ""}
        done = subprocess.run(
            [sys.executable, "-c", AS_ORDINARY_USER],
            cwd=folder,
            env={**env, "DP_STATE": "rehearsal"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert f"{state}/catalog.db: Permission denied" in done.stderr
        assert "DP_STATE" in done.stderr
        assert list(state.iterdir()) == []


def test_a_file_where_the_state_folder_should_be_is_named(dp, home):
    (home / ".lakehouse").write_text("not a folder")
    done = dp("init")
    assert done.code == 2
    assert "Not a directory" in done.err or "File exists" in done.err
