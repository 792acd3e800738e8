"""kill -9 of a restore, then `--resume`: every table whole, none half-visible (FAULTS 1, 23)."""

from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_restore import Left
from dp_assets_tests.faults.killing import kills, seed, tell, times

RANDOM_KILLS = times(10, soak=200)
# What was being written when it was killed: a file per worker.
MOST_TEMPORARY = 4
RESUMED = 0.2  # of the kills that leave a journal; of a small lake, planning is most of the time


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return."""
    found = kills(Left, "restore", tmp_path, RANDOM_KILLS, seed())
    tell(found, of=RANDOM_KILLS)
    assert sum(left.resumed for left in found) >= RESUMED * RANDOM_KILLS
    assert all(left.temporary <= MOST_TEMPORARY for left in found)
