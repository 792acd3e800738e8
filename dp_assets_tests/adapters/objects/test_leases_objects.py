"""What only leases in an object store can meet: pruning, damaged objects, missing rights."""

from pathlib import Path

import pytest

from dp_assets.adapters.leases_polling import Revision
from dp_assets.adapters.objects.leases_objects import KEPT, ObjectLeases
from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.objects.s3_settings import S3Options
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.leases import Lease
from dp_assets.ports.object_store import ObjectStore
from dp_assets_tests.services import S3


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(str(tmp_path / "store"), properties={}, tmp_dir=tmp_path)


@pytest.fixture
def leases(store: ObjectStore) -> ObjectLeases:
    return over(store)


def over(store: ObjectStore) -> ObjectLeases:
    return ObjectLeases(store, now_ms=lambda: 0, sleep=lambda _: None)


def turn(leases: ObjectLeases, owner: str) -> Lease:
    lease = leases.acquire("t", owner=owner, ttl_ms=10, wait_ms=0)
    leases.release(lease)
    return lease


def keys(store: ObjectStore) -> list[str]:
    return [info.key for info in store.list("")]


def test_old_revisions_are_pruned(leases: ObjectLeases, store: ObjectStore):
    for _ in range(KEPT):
        turn(leases, "me")
    assert keys(store) == [f"leases/t/{n:012d}.json" for n in range(KEPT, 2 * KEPT + 1)]


def test_a_number_that_was_pruned_meanwhile_cannot_be_won(leases: ObjectLeases):
    """A process read revision 1, slept while others made dozens more, and now makes number 2."""
    turn(leases, "me")
    for _ in range(KEPT):
        turn(leases, "others")
    holder = leases.acquire("t", owner="others", ttl_ms=10, wait_ms=0)
    late = Lease("t", "sleeper", fencing=2, expires_at_ms=10)
    assert not leases._create(Revision(2, late, ttl_ms=10))
    leases.check(holder)
    assert leases.held() == (holder,)


def test_foreign_objects_are_no_revisions(leases: ObjectLeases, store: ObjectStore):
    lease = leases.acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    store.put("leases/t/notes.json", b"")
    store.put("leases/999999999999.json", b"")
    store.put("leases/t/deeper/999999999999.json", b"{}")
    leases.check(lease)


def test_a_damaged_object_is_named(leases: ObjectLeases, store: ObjectStore):
    lease = leases.acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    (damaged,) = keys(store)
    store.put(damaged, b"{}")
    with pytest.raises(PermanentError, match=f"{store.address}/{damaged} is damaged"):
        leases.check(lease)


def test_without_the_right_to_delete_everything_but_pruning_works(s3: S3, tmp_path: Path):
    store = open_store(
        s3.keeping_url, properties=s3.properties_of("writer"), tmp_dir=tmp_path / "tmp"
    )
    leases = over(store)
    for expected in range(1, KEPT + 1):
        assert turn(leases, "me").fencing == expected
    assert len(keys(store)) == 2 * KEPT


def test_a_reader_cannot_acquire(s3: S3, tmp_path: Path):
    store = open_store(s3.url, properties=s3.properties_of("reader"), tmp_dir=tmp_path)
    with pytest.raises(PermanentError, match="access denied"):
        over(store).acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    assert over(store).held() == ()


def test_a_server_that_hangs_does_not_hold_the_caller(s3: S3, tmp_path: Path):
    options = S3Options(deadline_s=1)
    store = open_store(s3.url, properties=s3.properties, tmp_dir=tmp_path, options=options)
    lease = over(store).acquire("t", owner="me", ttl_ms=10, wait_ms=0)
    with s3.stopped(), pytest.raises(TransientError, match="no answer in time"):
        over(store).check(lease)
    over(store).check(lease)
