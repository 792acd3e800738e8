"""Measuring a machine: real folders, real packages."""

from pathlib import Path

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

from dp_assets.adapters.doctor import doctor_machine
from dp_assets.adapters.doctor.doctor_machine import examine_folder, examine_software, examine_store
from dp_assets_tests.adapters.ordinary_user import as_ordinary_user, open_folder


def test_a_writable_folder_is_written_to_and_left_as_it_was(tmp_path: Path, monkeypatch):
    made = []
    create = doctor_machine.create_file
    monkeypatch.setattr(
        doctor_machine, "create_file", lambda *given: made.append(given[0]) or create(*given)
    )
    found = examine_folder("state", tmp_path)
    assert (found.exists, found.refusal) == (True, "")
    assert found.device == tmp_path.stat().st_dev
    assert 0 < found.free_bytes < found.total_bytes
    assert [path.parent for path in made] == [tmp_path]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_not_made(tmp_path: Path):
    found = examine_folder("state", tmp_path / "a" / "b")
    assert (found.exists, found.refusal) == (False, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_an_ordinary_user_may_not_write(mode):
    with open_folder() as folder:
        state = folder / "state"
        state.mkdir()
        state.chmod(mode)
        found = as_ordinary_user("folder", state)
        assert list(state.iterdir()) == []
        state.chmod(0o755)
    assert found["refusal"] == "Permission denied"


def test_a_folder_below_one_that_an_ordinary_user_may_not_enter():
    with open_folder() as folder:
        (folder / "closed" / "state").mkdir(parents=True)
        (folder / "closed").chmod(0o700 if folder.stat().st_uid == 0 else 0o000)
        found = as_ordinary_user("folder", folder / "closed" / "state")
        (folder / "closed").chmod(0o755)
    assert (found["exists"], found["refusal"]) == (False, "Permission denied")


def test_a_store_is_written_to_and_left_as_it_was(tmp_path: Path):
    found = examine_store("warehouse", f"file://{tmp_path}", PyArrowFileIO())
    assert found.refusal == ""
    assert found.device is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_store_that_refuses_says_why(tmp_path: Path):
    (tmp_path / "_dp").write_text("a file where a folder should be")
    found = examine_store("warehouse", f"file://{tmp_path}", PyArrowFileIO())
    assert found.refusal


def test_installed_software_is_compared_with_exact_pins_only():
    dependencies = ["duckdb==0.0.1", "pyiceberg[pyarrow,sql-sqlite]==0.12.0", "rich>=14"]
    found = examine_software(dependencies, requires_python=">=3.11,<3.14")
    assert [(p.name, p.wanted, p.found == p.wanted) for p in found.pins] == [
        ("duckdb", "0.0.1", False),
        ("pyiceberg", "0.12.0", True),
    ]
    assert (found.python_from, found.python_below) == ((3, 11), (3, 14))
    assert found.engine_refusal == ""


def test_a_missing_package_has_no_version():
    found = examine_software(["no-such-package==1"], requires_python=">=3.11,<3.14")
    assert [p.found for p in found.pins] == [""]


def test_an_extension_of_another_version_is_refused_by_the_engine(tmp_path: Path, monkeypatch):
    wrong = tmp_path / "avro.duckdb_extension"
    wrong.write_bytes(b"made for another DuckDB" * 100)
    monkeypatch.setattr(doctor_machine, "extension_file", lambda _: wrong)
    assert str(wrong) in examine_software([], requires_python=">=3.11,<3.14").engine_refusal
