"""kill -9 of a writer, then the same command again: every row once, nothing twice (FAULTS 1, 2)."""

from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_writer import DAYS, LEFT_BY_A_COMMIT, STEPS, Left
from dp_assets_tests.faults.killing import kills, seed, tell, times

RANDOM_KILLS = times(20, soak=200)


def check(found: list[Left]) -> None:
    """What holds after every kill; wholeness of each day and its files was checked on the spot."""
    assert len({left.content for left in found}) == 1
    for left in found:
        assert left.leftovers <= LEFT_BY_A_COMMIT, left
        wanted = len(DAYS) if left.same_run else len(DAYS) + left.days_landed
        assert left.snapshots == wanted, left


def test_killed_at_every_durable_step_of_every_day(tmp_path: Path):
    found = kills(Left, "writer", tmp_path, 0, 0)
    check(found)
    assert all(left.killed for left in found)
    landed = [left.days_landed for left in found]
    assert landed == [n + (step == "committed") for n in range(len(DAYS)) for step in STEPS]


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return."""
    found = kills(Left, "writer", tmp_path, RANDOM_KILLS, seed())
    tell(found, of=RANDOM_KILLS)
    check(found)
