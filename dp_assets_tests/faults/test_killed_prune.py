"""kill -9 of a prune and of a verification: no kept point is harmed, nothing stays for ever."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_prune import Left
from dp_assets_tests.usecases.backup.backups import lakehouse

SOAK = os.environ.get("DP_SOAK") == "1"
RANDOM_KILLS = 400 if SOAK else 6  # one half of each


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return; in every thread."""
    seed = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    settings = lakehouse(tmp_path)
    command = [sys.executable, "-m", "dp_assets_tests.faults.killed_prune"]
    done = subprocess.run(
        [*command, str(settings.path), str(RANDOM_KILLS), str(seed)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [Left(**left) for left in json.loads(done.stdout)]
    for left in found:
        print(f"{left.what} killed in {left.where}")  # noqa: T201
        assert list(left.damaged) == [], left
        assert left.superfluous == 0, left
        assert list(left.foreign) == [], left
    assert sum(left.killed for left in found) >= 0.8 * RANDOM_KILLS
