"""Every stored thing damaged in every way: named, with what it breaks, and mended where it can be.

The tables are real ones; which snapshots need which file is asked of PyIceberg, not of our code.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest

from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import open_repository
from dp_assets.domains.backup.points import Points
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets_tests.fakes.objects import MemoryObjectStore
from dp_assets_tests.usecases.backup.damaged_worlds import (
    DAMAGES,
    World,
    broken,
    cut,
    expected_breaks,
    flip,
    lose,
    make_world,
    new_identity,
    sealed,
)
from dp_assets_tests.usecases.backup.real_tables import two_tables
from dp_assets_tests.usecases.backup.tiny_points import Clock, back_up, verify_fully


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return two_tables(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def world(request, lake) -> World:
    return make_world(lake, PlainSealing() if request.param == "plain" else sealed())


@pytest.mark.parametrize("how", DAMAGES)
def test_whatever_is_damaged_is_named_with_what_it_breaks(world, how):
    files = expected_breaks(world)
    assert len(files) > 10
    for key in world.objects:
        if key.startswith(layout.PINS) and how == "deleted":
            continue  # that is how a point is unpinned
        repository = world.copy()
        DAMAGES[how](repository.store.objects, key)
        outcome = verify_fully(repository)
        assert [d.key for d in outcome.damages] == [key], (how, key)
        if key in files:
            assert broken(outcome, key) == files[key]
        elif key.startswith(layout.OBJECTS):
            assert outcome.damages[0].breaks
            assert outcome.damages[0].points
        else:
            assert outcome.damages[0].mended


def test_two_objects_of_one_size_that_changed_places_are_both_damaged(world):
    by_size: defaultdict[int, list[str]] = defaultdict(list)
    for key, content in world.objects.items():
        by_size[len(content)].append(key)
    pairs = [
        (a, b)
        for keys in by_size.values()
        for a, b in pairwise(keys)
        if world.objects[a] != world.objects[b]
    ]
    # Sealed sizes are random to a few bytes, so that perhaps no two agree: these do not need to.
    first, second, *_ = (key for key in world.objects if key.startswith(layout.OBJECTS))
    pairs.append((first, second))
    for a, b in pairs:
        repository = world.copy()
        objects = repository.store.objects
        objects[a], objects[b] = objects[b], objects[a]
        found = {damage.key for damage in verify_fully(repository).damages}
        assert found == {a, b}


def test_the_records_of_two_points_that_changed_places_are_damaged(world, lake):
    repository = world.copy()
    clock = Clock()
    clock.hours(1)
    back_up(repository, clock, lake[0], contents=lake[1])
    objects = repository.store.objects
    for name in (layout.RECORD, layout.RECORD_COPY):
        a, b = layout.point_key(2, name), layout.point_key(3, name)
        assert len(objects[a]) == len(objects[b])
        objects[a], objects[b] = objects[b], objects[a]
    outcome = verify_fully(repository)
    assert {number for damage in outcome.damages for number in damage.points} == {2, 3}
    with pytest.raises(DamagedObjectError, match="another place"):
        Points(repository).record(3)


@pytest.mark.parametrize(
    "key",
    ["notes.txt", "objects/ab/cd", "objects/00/" + "ab" * 32, "points/00000001/x", "pins/README"],
)
def test_a_foreign_file_is_named_and_breaks_nothing(world, key):
    repository = world.copy()
    repository.store.put(key, b"hello")
    outcome = verify_fully(repository)
    assert outcome.foreign == (key,)
    assert outcome.is_whole
    assert repository.store.read(key) == b"hello"


def test_a_whole_repository_is_whole_and_unchanged(world):
    repository = world.copy()
    outcome = verify_fully(repository)
    assert outcome.is_whole
    assert (outcome.points, outcome.reread, outcome.foreign) == (2, outcome.objects, ())
    assert repository.store.objects == world.objects


def copies(objects: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    for key in objects:
        twin = key.replace("point.json", "point.copy.json")
        twin = twin.replace("manifest.json", "manifest.copy.json")
        twin = twin.replace("repository.json", "repository.copy.json")
        if twin != key:
            yield key, twin


def test_a_lost_copy_is_put_back_from_the_other_whichever_it_is(world):
    pairs = list(copies(world.objects))
    assert len(pairs) == 5
    for key in (key for pair in pairs for key in pair):
        repository = world.copy()
        lose(repository.store.objects, key)
        assert not verify_fully(repository).is_whole
        assert repository.store.objects == world.objects
        assert verify_fully(repository).is_whole


@pytest.mark.parametrize("file", ["point", "manifest"])
def test_a_point_that_lost_both_copies_is_damaged_as_a_whole(world, file):
    first, second = next((a, b) for a, b in copies(world.objects) if f"2/{file}." in a)
    repository = world.copy()
    flip(0.5)(repository.store.objects, first)
    cut(repository.store.objects, second)
    outcome = verify_fully(repository)
    assert [d.key for d in outcome.damages] == sorted([first, second])
    assert all(d.points == (2,) and d.breaks and not d.mended for d in outcome.damages)


def test_a_point_whose_records_vanished_is_missed(world):
    repository = world.copy()
    for name in (layout.RECORD, layout.RECORD_COPY):
        lose(repository.store.objects, layout.point_key(1, name))
    outcome = verify_fully(repository)
    assert [(d.key, d.points) for d in outcome.damages] == [
        (layout.point_key(1, layout.RECORD), (1,))
    ]


def test_without_the_private_key_points_are_named_and_tables_are_not(lake):
    world = make_world(lake, sealed())
    data = next(iter(expected_breaks(world)))
    store = MemoryObjectStore(dict(world.objects))
    flip(0.5)(store.objects, data)
    for sealing in (AgeSealing(), AgeSealing(identities=[new_identity()[0]])):
        outcome = verify_fully(open_repository(store, lambda _, s=sealing: s))
        assert outcome.damages[0].key == data
        assert outcome.damages[0].points
        assert not outcome.explained
