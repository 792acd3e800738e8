"""kill -9 of a writer, then the same command again: every row once, nothing twice (FAULTS 1, 2)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_writer import DAYS, LEFT_BY_A_COMMIT, STEPS, Left

SOAK = os.environ.get("DP_SOAK") == "1"
RANDOM_KILLS = 200 if SOAK else 20


def kills(folder: Path, *, count: int, seed: int) -> list[Left]:
    command = [sys.executable, "-m", "dp_assets_tests.faults.killed_writer"]
    done = subprocess.run(
        [*command, str(folder), str(count), str(seed)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [Left(**left) for left in json.loads(done.stdout)]


def check(found: list[Left]) -> None:
    """What holds after every kill; wholeness of each day and its files was checked on the spot."""
    assert len({left.content for left in found}) == 1
    for left in found:
        assert left.leftovers <= LEFT_BY_A_COMMIT, left
        wanted = len(DAYS) if left.same_run else len(DAYS) + left.days_landed
        assert left.snapshots == wanted, left


def test_killed_at_every_durable_step_of_every_day(tmp_path: Path):
    found = kills(tmp_path, count=0, seed=0)
    check(found)
    assert all(left.killed for left in found)
    landed = [left.days_landed for left in found]
    assert landed == [n + (step == "committed") for n in range(len(DAYS)) for step in STEPS]


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return."""
    seed = int(os.environ.get("DP_SEED") or random.randrange(2**32))  # noqa: S311 - no secret
    print(f"DP_SEED={seed}")  # noqa: T201 - to do it again
    found = kills(tmp_path, count=RANDOM_KILLS, seed=seed)
    for left in found:
        print(f"{left.days_landed} days, {left.leftovers} files left: {left.where}")  # noqa: T201
    check(found)
    assert sum(left.killed for left in found) >= 0.8 * RANDOM_KILLS
