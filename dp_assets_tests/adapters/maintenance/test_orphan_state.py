"""What a sweep for orphans left is remembered, and never in the way."""

from pathlib import Path

import pytest

from dp_assets.adapters.maintenance.orphan_state import FOLDER, read_unheld, write_unheld
from dp_assets.ports.orphans import Unheld


@pytest.mark.parametrize("uuid", ["0a-1b", "../../etc/x", ""])
def test_it_is_remembered_by_table(tmp_path: Path, uuid: str):
    assert read_unheld(tmp_path, uuid) is None
    write_unheld(tmp_path, uuid, Unheld(1, 20))
    write_unheld(tmp_path, uuid, Unheld(2, 30))
    assert read_unheld(tmp_path, uuid) == Unheld(2, 30)
    assert read_unheld(tmp_path, f"{uuid}x") is None
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.parent == tmp_path / FOLDER


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"at_ms": 1}', b'{"at_ms":1,"bytes":"x"}'])
def test_what_cannot_be_read_was_never_there(tmp_path: Path, content: bytes):
    write_unheld(tmp_path, "u", Unheld(1, 20))
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(content)
    assert read_unheld(tmp_path, "u") is None
