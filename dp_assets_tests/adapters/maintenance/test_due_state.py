import pytest

from dp_assets.adapters.maintenance.due_state import read_due, write_due
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.due_state import Decided, DueState

TABLE = TableId("a.b", "c.d")
STATE = DueState("digest", {TABLE: Decided("file:///p", 5, 10)})


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "due.json"
    write_due(path, STATE)
    assert read_due(path) == STATE


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 2}', b'{"format": 1}', b"\xff"])
def test_what_cannot_be_read_is_nothing_known(tmp_path, content):
    (tmp_path / "due.json").write_bytes(content)
    assert read_due(tmp_path / "due.json") == DueState()


def test_without_a_file_nothing_is_known(tmp_path):
    assert read_due(tmp_path / "due.json") == DueState()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PermanentError, match="cannot write"):
        write_due(tmp_path / "file" / "due.json", STATE)


@pytest.mark.parametrize(
    ("pointer", "now", "settled"),
    [
        ("file:///p", 5, True),
        ("file:///p", 9, True),
        ("file:///p", 10, False),
        ("file:///p", 4, False),
        ("file:///q", 5, False),
    ],
)
def test_when_nothing_can_have_changed(pointer, now, settled):
    assert STATE.is_settled(TABLE, pointer, now_ms=now) is settled
    assert not STATE.is_settled(TableId("a", "other"), pointer, now_ms=now)
