"""kill -9 of a repair, then the same command again."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_repair import Left
from dp_assets_tests.usecases.backup.backups import backup, lakehouse

RANDOM_KILLS = 200 if os.environ.get("DP_SOAK") == "1" else 6


@pytest.mark.soak
def test_a_killed_repair_is_finished_by_the_next(tmp_path: Path):
    """Moments are chosen between the first write and the return; in every thread."""
    seed = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    settings = lakehouse(tmp_path, commits=3)
    backup(settings)
    command = [sys.executable, "-m", "dp_assets_tests.faults.killed_repair"]
    done = subprocess.run(
        [*command, str(settings.path), str(RANDOM_KILLS), str(seed)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [Left(**left) for left in json.loads(done.stdout)]
    for left in found:
        print(left.where)  # noqa: T201
        assert left.rows == 30, left
        assert not left.differing, left
        assert left.is_repaired, left
    assert sum(left.killed for left in found) >= 0.8 * RANDOM_KILLS
