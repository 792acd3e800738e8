"""kill -9 of a restore, then `--resume`: every table whole, none half-visible (FAULTS 1, 23)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_restore import Left

SOAK = os.environ.get("DP_SOAK") == "1"
RANDOM_KILLS = 200 if SOAK else 10
# What was being written when it was killed: a file per worker.
MOST_TEMPORARY = 4


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return."""
    seed = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dp_assets_tests.faults.killed_restore",
            str(tmp_path),
            str(RANDOM_KILLS),
            str(seed),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [Left(**left) for left in json.loads(done.stdout)]
    for left in found:
        print(f"{left.visible} visible, {left.temporary} left: {left.where}")  # noqa: T201
    assert sum(left.killed for left in found) >= 0.8 * RANDOM_KILLS
    assert sum(left.resumed for left in found) >= 0.5 * RANDOM_KILLS
    assert all(left.temporary <= MOST_TEMPORARY for left in found)
