"""kill -9 of a repair, then the same command again."""

from pathlib import Path

import pytest

from dp_assets_tests.faults.killed_repair import Left
from dp_assets_tests.faults.killing import kills, seed, tell, times
from dp_assets_tests.usecases.backup.backups import backup, lakehouse

RANDOM_KILLS = times(6, soak=200)


@pytest.mark.soak
def test_a_killed_repair_is_finished_by_the_next(tmp_path: Path):
    """Moments are chosen between the first write and the return; in every thread."""
    settings = lakehouse(tmp_path, commits=3)
    backup(settings)
    found = kills(Left, "repair", settings.path, RANDOM_KILLS, seed())
    tell(found, of=RANDOM_KILLS)
    for left in found:
        assert left.rows == 30, left
        assert not left.differing, left
        assert left.is_repaired, left
