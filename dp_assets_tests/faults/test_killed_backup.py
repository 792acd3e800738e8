"""kill -9 of a backup, then the same command again; and one that is stopped past its lease."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets.settings import Settings
from dp_assets_tests.faults.killed_backup import Left
from dp_assets_tests.faults.killing import kills, seed, tell, times
from dp_assets_tests.faults.stopped_backup import short_lived
from dp_assets_tests.usecases.backup.backups import backup, check_repository, lakehouse, root_of

RANDOM_KILLS = times(8, soak=200)


@pytest.mark.soak
def test_killed_at_random_moments(tmp_path: Path):
    """Moments are chosen between the lease and the return; in every thread."""
    settings = lakehouse(tmp_path)
    found = kills(Left, "backup", settings.path, RANDOM_KILLS, seed())
    tell(found, of=RANDOM_KILLS)
    for left in found:
        # Either the point exists, whole, or nothing of it; and the next run makes one more.
        assert left.after - left.before in (0, 1), left
        assert left.again == left.after + 1, left
    # What a kill leaves is one file per thread at most, in tmp/ only.
    assert found[-1].uploads <= (settings.backup.workers + 1) * RANDOM_KILLS
    check_repository(settings)


def test_stopped_past_its_lease_and_woken_it_does_no_harm(tmp_path: Path):
    settings = lakehouse(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "dp_assets_tests.faults.stopped_backup", str(settings.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "copying\n"
        process.send_signal(signal.SIGSTOP)
        # Waits until the stopped one's lease has ended, then makes its own point.
        second = backup(short_lived(settings))
        before = inodes(settings)
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate("go on\n")
    finally:
        process.kill()
        process.wait()
    assert said.startswith("TransientError: lease "), said
    # Not even with the same content: sealed again it would be other bytes.
    assert inodes(settings) == before
    assert second.record.complete
    assert check_repository(settings) == (second.record.number,)
    assert backup(settings).record.number > second.record.number


def inodes(settings: Settings) -> dict[Path, int]:
    """Which file every object is; another one under its name has another number."""
    objects = root_of(settings) / "objects"
    return {path: path.stat().st_ino for path in objects.rglob("*") if path.is_file()}
