"""Maintenance that is stopped until its leases have expired, and goes on then (FAULTS 2: hang).

Another process has done the same and more in between. Rows at the head and at the tag were compared
by the killing process itself, with both engines, right then, after the same operation once more
and after everything.
"""

from pathlib import Path

import pytest

from dp_assets_tests.faults.hung_maintenance import CASES, Left
from dp_assets_tests.faults.killing import SOAK, kills

LOST = ("is lost", "ended at", "was taken out meanwhile")
ENDED = ("done", "nothing", "dropped: ", "TransientError: ")


def check(found: list[Left]) -> None:
    for left in found:
        print(left)  # noqa: T201 - shown when the test fails, and by `pytest -s`
    for left in found:
        assert left.undone == [], left
        assert not (left.moved and left.held), left
        assert left.said.startswith(ENDED), left
        if left.said.startswith("TransientError"):
            assert any(why in left.said for why in LOST), left
            assert "hint: run it again" in left.said, left
        assert left.again.startswith(("done", "nothing")), left
        assert left.unnamed == 0, left
        assert left.leases == 0, left


def test_hung_where_it_matters_most(tmp_path: Path):
    """Right before a pointer moves, in the middle of deletions, right after a commit."""
    found = kills(Left, "maintenance", tmp_path, "few", how="hung")
    check(found)
    assert [(left.held, left.committed) for left in found] == [(2, False), (1, False), (2, True)]


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="unavoidable: minutes; the worst moments have a test")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_hung_after_every_durable_step(case: str, tmp_path: Path):
    check(kills(Left, "maintenance", tmp_path, case, how="hung"))
