"""kill -9 of a run of three days, then the same command again: as if nothing had happened."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.adapters.week_of_flights import FLIGHTS_A_DAY
from dp_assets_tests.faults.killed_pipeline import Left

SOAK = os.environ.get("DP_SOAK") == "1"
KILLS = 20 if SOAK else 2


@pytest.mark.soak
def test_three_days_after_a_kill_are_the_same_as_without(tmp_path: Path):
    """The record of Dagster is compared with the tables by the process itself."""
    seed = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    command = [sys.executable, "-m", "dp_assets_tests.faults.killed_pipeline"]
    environment = {k: v for k, v in os.environ.items() if k not in ("DP_STATE", "DP_CONFIG")}
    done = subprocess.run(
        [*command, str(tmp_path), str(KILLS), str(seed)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    untouched, *killed = [Left(**left) for left in json.loads(done.stdout)]
    for left in killed:
        print(f"killed {left.killed}: {left.where}")  # noqa: T201
        assert left.content == untouched.content
    assert untouched.content["raw.flights"][0] == 3 * FLIGHTS_A_DAY
    assert untouched.content["curated.flights"][0] == 3 * FLIGHTS_A_DAY
    assert sum(left.killed for left in killed) >= 0.8 * KILLS
