"""A state folder that an ordinary user may not write, or not even read (as such a user)."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets_tests.adapters.orders import MONDAY, Lake
from dp_assets_tests.adapters.ordinary_user import open_folder


def set_rights(top: Path, *, folders: int, files: int) -> None:
    for path in [*top.rglob("*"), top]:
        path.chmod(folders if path.is_dir() else files)


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, list[str]], None, None]:
    """Name of a lakehouse -> kind and text of the error that writing it gave."""
    cases = ("read-only", "read-only-warehouse", "unreadable-catalog", "unreadable-table")
    with open_folder() as top:
        for name in cases:
            (top / name).mkdir()
            with Lake(top / name) as lake:
                lake.put(MONDAY, [1])
            set_rights(top / name, folders=0o777, files=0o666)
        set_rights(top / "read-only", folders=0o555, files=0o444)
        set_rights(top / "read-only-warehouse" / "warehouse", folders=0o555, files=0o444)
        (top / "unreadable-catalog" / "catalog.db").chmod(0)
        set_rights(top / "unreadable-table" / "warehouse", folders=0o777, files=0)
        command = [sys.executable, "-m", "dp_assets_tests.faults.unprivileged_writer"]
        own = str(tmp_path_factory.mktemp("own"))
        done = subprocess.run(
            [*command, own, *(str(top / name) for name in cases)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        for name in cases:
            set_rights(top / name, folders=0o777, files=0o666)
            with Lake(top / name) as lake:
                assert lake.ids() == {MONDAY: [1]}
        yield dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("read-only", "readonly database"),
        ("read-only-warehouse", "write raw.orders: permission denied"),
        ("unreadable-catalog", "catalog lake cannot be opened: unable to open database file"),
        ("unreadable-table", "permission denied"),
    ],
)
def test_an_ordinary_user_is_told_what_is_denied(
    errors: dict[str, list[str]], case: str, words: str
):
    kind, text = errors[case]
    assert kind == "PermanentError", text
    assert words in text
