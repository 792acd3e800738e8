"""kill -9 of a prune and of a verification: no kept point is harmed, nothing stays for ever."""

from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_prune import Left
from dp_assets_tests.faults.killing import kills, seed, tell, times
from dp_assets_tests.usecases.backup.backups import lakehouse

RANDOM_KILLS = times(6, soak=400)  # one half of each


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the first write and the return; in every thread."""
    settings = lakehouse(tmp_path)
    found = kills(Left, "prune", settings.path, RANDOM_KILLS, seed())
    tell(found, of=RANDOM_KILLS)
    for left in found:
        assert list(left.damaged) == [], left
        assert left.superfluous == 0, left
        assert list(left.foreign) == [], left
