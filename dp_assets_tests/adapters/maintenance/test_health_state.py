import pytest

from dp_assets.adapters.maintenance.health_state import read_health, write_health
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.health_state import HealthState, Unmeasured
from dp_assets_tests.domains.maintenance.healths import partition, table_with

STATE = HealthState(
    {
        TableId("a.b", "c.d"): table_with(size_counts=(1, 0, 2), error=0.25, head=2**62),
        TableId("raw", "bad"): Unmeasured(TableId("raw", "bad"), "p", 3, "it is empty"),
        TableId("raw", "t"): table_with(partitions=(partition(128), partition(256))),
    },
    swept_at_ms=7,
)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "health.json"
    write_health(path, STATE)
    assert read_health(path).state == STATE
    assert read_health(path).problem == ""


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"format": 1}', b'{"format": 2}', b"\xff", b"[" * 100_000]
)
def test_what_cannot_be_read_is_a_problem_and_no_error(tmp_path, content):
    path = tmp_path / "health.json"
    path.write_bytes(content)
    found = read_health(path)
    assert found.state == HealthState()
    assert "is unreadable" in found.problem


def test_nothing_is_there_before_the_first_sweep(tmp_path):
    found = read_health(tmp_path / "health.json")
    assert (found.state, found.problem) == (HealthState(), "")


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PermanentError, match="write the state of health"):
        write_health(tmp_path / "file" / "health.json", STATE)
