"""What only the folder store can meet: pruned revisions and damaged files."""

from pathlib import Path

import pytest

from dp_assets.adapters.leases_folder import KEPT, FolderLeases
from dp_assets.adapters.leases_polling import Revision
from dp_assets.core.errors import PermanentError
from dp_assets.ports.leases import Lease


@pytest.fixture
def leases(tmp_path: Path) -> FolderLeases:
    return FolderLeases(tmp_path, now_ms=lambda: 0, sleep=lambda _: None)


def turn(leases: FolderLeases, owner: str) -> Lease:
    lease = leases.acquire("t", owner=owner, ttl_ms=10, wait_ms=0)
    leases.release(lease)
    return lease


def test_old_revisions_are_pruned(leases: FolderLeases, tmp_path: Path):
    for _ in range(KEPT):
        turn(leases, "me")
    assert len(list((tmp_path / "t").iterdir())) == KEPT + 1


def test_a_number_that_was_pruned_meanwhile_cannot_be_won(leases: FolderLeases):
    """A process read revision 1, slept while others made dozens more, and now makes number 2."""
    turn(leases, "me")
    for _ in range(KEPT):
        turn(leases, "others")
    holder = leases.acquire("t", owner="others", ttl_ms=10, wait_ms=0)
    late = Lease("t", "sleeper", fencing=2, expires_at_ms=10)
    assert not leases._create(Revision(2, late, ttl_ms=10))
    leases.check(holder)
    assert leases.held() == (holder,)


def test_leftovers_of_a_kill_are_no_revisions(leases: FolderLeases, tmp_path: Path):
    lease = leases.acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    (tmp_path / "t" / ".0123.tmp").write_bytes(b"")
    (tmp_path / "t" / "notes.json").write_bytes(b"")
    leases.check(lease)


def test_a_damaged_file_is_named(leases: FolderLeases, tmp_path: Path):
    lease = leases.acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    (damaged,) = (tmp_path / "t").iterdir()
    damaged.write_bytes(b"{}")
    with pytest.raises(PermanentError, match=damaged.name):
        leases.check(lease)
