"""`dp doctor` on real lakehouses: what it ends with, what it says, and that it changes nothing."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from dp_assets.cli import doctor
from dp_assets.cli import main as frame
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import opened
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.adapters.opener import other_process
from dp_assets_tests.adapters.ordinary_user import open_folder

OTHER = TableId("raw", "other")
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(frame, "_groups", lambda: (doctor.register, lambda app: None))
    made = real.make_lakehouse(tmp_path)
    monkeypatch.setenv("DP_CONFIG", str(made.path))
    return made


@pytest.fixture
def dp(settings, capsys):
    """Run `dp doctor`; its exit code and its findings as (severity, object, what, hint)."""

    def run(*arguments: str):
        capsys.readouterr()
        code = frame.main(["doctor", "--json", *arguments])
        said = json.loads(capsys.readouterr().out)
        keys = ("severity", "subject", "what", "hint")
        return code, {f["subject"]: tuple(f[key] for key in keys) for f in said["findings"]}

    return run


def test_a_sound_lakehouse_ends_with_0_and_is_not_changed(dp, settings, tmp_path):
    before = real.content(tmp_path)
    code, found = dp()
    assert code == 0
    assert {severity for severity, *_ in found.values()} <= {"ok", "warn"}
    assert {"settings", "versions", "clock", "database", "identity", "pointers"} <= set(found)
    assert str(settings.path) in found["settings"][2]
    assert found["pointers"][2] == "1 table with a pointer that reads well"
    assert real.content(tmp_path) == before


def test_elsewhere_than_on_a_terminal_it_is_plain_lines(settings, capsys):
    real.local(real.pointer_of(settings)).write_bytes(b"")
    assert frame.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("error  table raw.orders: "))
    assert lines[at + 1].startswith("       'dp doctor --repair' moves the pointer back to file://")
    assert lines[-1].startswith("1 error, ")
    assert any(line.startswith("ok     settings: ") for line in lines)


def test_on_a_terminal_it_is_tables_by_area(settings, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert frame.main(["doctor"]) == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", x).strip() for x in capsys.readouterr().out.splitlines()]
    areas = ["machine", "catalog", "tables", "recovery", "leftovers"]
    assert [line for line in lines if line in areas] == areas


def test_an_emptied_metadata_file_ends_with_1_and_names_table_pointer_and_way_back(dp, settings):
    *_, before, newest = real.metadata_files(settings)
    newest.write_bytes(b"")
    code, found = dp()
    severity, _, what, hint = found["table raw.orders"]
    assert (code, severity) == (1, "error")
    assert newest.name in what
    assert before.name in hint
    assert "'dp doctor --repair'" in hint
    assert "the last commit (snapshot " in hint
    assert "10 rows written, 0 removed" in hint
    assert "pointers" not in found


def test_a_missing_manifest_list_is_an_error_without_repair(dp, settings):
    raw = json.loads(real.local(real.pointer_of(settings)).read_bytes())
    real.local(raw["snapshots"][-1]["manifest-list"]).unlink()
    code, found = dp("--repair", "--yes")
    assert (code, found["table raw.orders"][0]) == (1, "error")
    assert "manifest list" in found["table raw.orders"][2]
    assert len(real.metadata_files(settings)) == 4


def test_no_lakehouse_yet_points_at_init_and_makes_nothing(dp, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("DP_STATE", str(tmp_path / "elsewhere"))
    code, found = dp()
    assert code == 1
    assert "'dp init'" in found["database"][3]
    assert found["tables"][0] == "warn"
    assert not (tmp_path / "elsewhere").exists()


def test_a_catalog_locked_by_another_process_names_it(dp, settings):
    with other_process("BEGIN EXCLUSIVE", settings.state_dir / "catalog.db") as pid:
        code, found = dp()
    assert code == 1
    assert f"pid {pid} (" in found["database"][2]
    assert dp()[0] == 0


def test_a_catalog_with_one_bad_page_says_the_way_back(dp, settings):
    database = settings.state_dir / "catalog.db"
    good = database.read_bytes()
    database.write_bytes(good[:4096] + b"\xff" * 4096 + good[8192:])
    code, found = dp()
    assert (code, found["database"][0]) == (1, "error")
    assert "is damaged" in found["database"][2]
    assert "put the last dump back" in found["database"][3]


def test_the_catalog_of_another_lakehouse_is_an_error_that_names_the_difference(dp, settings):
    clone = settings.state_dir / "clone.db"
    clone.write_bytes((settings.state_dir / "catalog.db").read_bytes())
    settings.path.write_text("catalog:\n  uri: sqlite:///{state}/clone.db\n")
    code, found = dp()
    assert (code, found["identity"][0]) == (1, "error")
    assert "catalog.db, settings say" in found["identity"][2]


def test_no_identity_is_a_warning(dp, settings):
    with opened(settings) as lake, lake.catalog.engine.begin() as connection:
        connection.execute(text("DELETE FROM iceberg_namespace_properties"))
    code, found = dp()
    assert (code, found["identity"][0]) == (0, "warn")


def test_a_clock_behind_the_newest_commit_is_a_warning(dp, settings):
    file = real.local(real.pointer_of(settings))
    raw = json.loads(file.read_bytes())
    raw["last-updated-ms"] = int(time.time() * 1000) + 3_600_000
    file.write_text(json.dumps(raw))
    code, found = dp()
    assert (code, found["clock"][0]) == (0, "warn")
    assert "raw.orders" in found["clock"][2]


def test_what_a_commit_that_never_ended_left_behind_is_a_warning(dp, settings):
    *_, newest = real.metadata_files(settings)
    staged = newest.with_name(newest.name.replace("00003-", "00004-"))
    staged.write_bytes(newest.read_bytes())
    code, found = dp()
    assert (code, found["table raw.orders"][0]) == (0, "warn")
    assert staged.name in found["table raw.orders"][2]


def test_two_tables_at_one_location_and_a_foreign_one(dp, settings):
    with opened(settings) as lake:
        real.fill(lake, OTHER, commits=0)
    file = real.local(real.pointer_of(settings, OTHER))
    raw = json.loads(file.read_bytes())
    raw["location"] = json.loads(real.local(real.pointer_of(settings)).read_bytes())["location"]
    raw["properties"] = {}
    file.write_text(json.dumps(raw))
    code, found = dp()
    assert (code, found["locations"][0], found["foreign tables"][0]) == (0, "warn", "ok")
    assert "raw.other" in found["foreign tables"][2]


def test_a_database_of_others_stays_as_it_is(dp, settings):
    database = settings.state_dir / "catalog.db"
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE t (x)")
    before = database.read_bytes()
    code, found = dp("--repair", "--yes")
    assert (code, found["database"][0]) == (1, "error")
    assert "not an Iceberg catalog" in found["database"][2]
    assert database.read_bytes() == before


@pytest.fixture
def ordinary_python():
    """A command line that runs Python as an ordinary user: root is denied nothing."""
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    command = [*(drop if os.getuid() == 0 else []), sys.executable]
    try:
        subprocess.run([*command, "-c", "import dp_assets.usecases.diagnosis"], env=ENV, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("unavoidable: other users cannot run this Python and this checkout")
    return command


def test_a_state_folder_that_an_ordinary_user_cannot_write(ordinary_python):
    program = "from dp_assets.cli import main as m, doctor as d; import sys;"
    program += "m._groups = lambda: (d.register, lambda app: None); sys.exit(m.main())"
    with open_folder() as folder:
        settings = real.make_lakehouse(folder)
        before = real.content(folder)
        settings.state_dir.chmod(0o555)
        command = [*ordinary_python, "-c", program, "--config", settings.path, "doctor", "--json"]
        done = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False)
        settings.state_dir.chmod(0o755)
        assert real.content(folder) == before
    found = {f["subject"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    for subject in ("state folder", "database"):
        assert found[subject]["severity"] == "error"
        assert "cannot be written" in found[subject]["what"]
    assert found["pointers"]["what"] == "1 table with a pointer that reads well"
