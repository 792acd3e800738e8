"""Damaged things put back from a replica, and never from one that is no better."""

import pytest

from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.adapters.recovery.sealing import PlainSealing
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise
from dp_assets.usecases.backup.mending import mend
from dp_assets_tests.fakes.objects import MemoryObjectStore
from dp_assets_tests.usecases.backup.house import A, B, C, House
from dp_assets_tests.usecases.backup.test_replicating import Place, content, opened, to
from dp_assets_tests.usecases.backup.tiny_points import START_MS, verify_fully


@pytest.fixture
def house() -> House:
    house = House()
    house.back_up(A, B)
    house.back_up(B, C)
    return house


@pytest.fixture
def target() -> Place:
    return Place()


def every_damage(store: MemoryObjectStore):
    for key in content(store):
        yield key, "flipped"
        yield key, "gone"


def test_everything_can_be_put_back_from_the_replica(house, target):
    to(house, target)
    whole = content(house.store)
    for key, how in every_damage(house.store):
        store = MemoryObjectStore(dict(house.store.objects))
        if how == "gone":
            del store.objects[key]
        else:
            store.damage(key, at=len(store.objects[key]) // 2)
        repository = opened(store)
        found = verify_fully(repository)
        index = SqliteRepositoryIndex(None, repository_id="r")
        done = mend(repository, opened(target), found.damages, index, now_ms=START_MS)
        assert done == {d.key for d in found.damages if not d.mended}
        assert verify_fully(repository).is_whole
        if not key.endswith("claim.json"):
            assert content(store) == whole


def test_both_copies_of_a_point_come_back_with_its_list_and_its_data(house, target):
    to(house, target)
    whole = content(house.store)
    lost = [k for k in whole if k.startswith((layout.OBJECTS, "points/00000002/"))]
    for key in lost:
        if not key.endswith("claim.json"):
            house.store.damage(key, at=9 if len(whole[key]) > 9 else 0)
    found = verify_fully(house.repository)
    index = SqliteRepositoryIndex(None, repository_id="r")
    mend(house.repository, opened(target), found.damages, index, now_ms=START_MS)
    assert content(house.store) == whole


def test_a_replica_that_is_damaged_at_the_same_place_mends_nothing(house, target):
    to(house, target)
    key = next(k for k in house.store.objects if k.startswith(layout.OBJECTS))
    for store in (house.store, target):
        store.damage(key)
    before = dict(house.store.objects)
    index = SqliteRepositoryIndex(None, repository_id="r")
    found = verify_fully(house.repository)
    assert mend(house.repository, opened(target), found.damages, index, now_ms=1) == frozenset()
    assert house.store.objects == before


def test_another_repository_mends_nothing(house, target):
    initialise(target, PlainSealing(), repository_id="another", now_ms=1)
    index = SqliteRepositoryIndex(None, repository_id="r")
    with pytest.raises(PermanentError, match="holds repository another"):
        mend(house.repository, opened(target), (), index, now_ms=1)
