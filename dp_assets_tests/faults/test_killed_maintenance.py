"""kill -9 of every operation of maintenance, then the same command again (FAULTS 1, 2).

The killing process itself reads every head, tag and snapshot with both engines and compares.
"""

from pathlib import Path

import pytest

from dp_assets.ports.maintenance import Operation
from dp_assets_tests.faults.killed_maintenance import Left
from dp_assets_tests.faults.killing import SOAK, kills, seed, tell, times

RANDOM_KILLS = times(6, soak=200)  # of all operations together; in `make soak` of each
# Data, manifests, list, metadata: what one unfinished commit may leave besides the stray file.
LEFT_BY_A_KILL = 12


def check(found: list[Left]) -> None:
    for left in found:
        assert left.again in ("done", "nothing", "nothing to do"), left
        assert left.later in ("nothing", "nothing to do"), left
        assert left.unnamed[0] <= LEFT_BY_A_KILL, left
        assert left.unnamed[1] == 0, left
        # Of the killed process, if there was nothing left to do: it ends by itself.
        assert left.leases == 0 or left.again != "done", left


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("which", [*Operation] if SOAK else ["all"])
def test_killed_at_random_moments(which: str, tmp_path: Path):
    """Moments are chosen between the first write and the return; in every thread."""
    operations = Operation if which == "all" else (which,)
    found = kills(Left, "maintenance", tmp_path, RANDOM_KILLS, seed(), *map(str, operations))
    tell(found, of=RANDOM_KILLS)
    check(found)


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="unavoidable: minutes; each step has a test of its own")
@pytest.mark.timeout(3600)
def test_killed_after_every_durable_step(tmp_path: Path):
    found = kills(Left, "maintenance", tmp_path, 0, 0)
    tell(found, of=len(found))
    check(found)
