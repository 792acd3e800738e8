"""kill -9 of a real process at every durable step; then again: every row exactly once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.domains.lake.flush_process import (
    BATCHES,
    HALF_ADDED,
    KILL_POINTS,
    RESULTS,
    open_lakehouse,
    spool_and_flush,
)


def run_until_killed(folder: Path, kill_point: str) -> None:
    module = "dp_assets_tests.domains.lake.flush_process"
    killed = subprocess.run(
        [sys.executable, "-m", module, str(folder), kill_point], capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize("kill_point", KILL_POINTS)
def test_every_row_is_there_once_after_a_kill(tmp_path: Path, kill_point: str):
    run_until_killed(tmp_path, kill_point)
    lakehouse = open_lakehouse(tmp_path, lambda _: None)
    # What add had not promised before the kill is added by the run that follows.
    missing = BATCHES[3:] if kill_point == HALF_ADDED else []
    spool_and_flush(lakehouse, missing)
    table = lakehouse.catalog.load_table(RESULTS.identifier)
    assert sorted(table.scan().to_arrow()["n"].to_pylist()) == list(range(10))
    assert len(table.snapshots()) == 1
    assert lakehouse.spool.tables() == ()
    again = spool_and_flush(lakehouse, [])
    assert again.snapshot_id is None
    assert len(lakehouse.catalog.load_table(RESULTS.identifier).snapshots()) == 1
    lakehouse.catalog.close()
