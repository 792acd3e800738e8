"""How much is read and when, what is remembered, and what a damage means for the next backup."""

import pytest

from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.adapters.recovery.sealing import PlainSealing
from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.core.units import DAY_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.index import refresh
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.verification import Share
from dp_assets.ports.recovery import FileKind
from dp_assets.usecases.backup.verifying import Verification, verify
from dp_assets_tests.usecases.backup.damaged_worlds import (
    DAMAGES,
    World,
    broken,
    cut,
    expected_breaks,
    flip,
    lose,
    make_world,
    sealed,
)
from dp_assets_tests.usecases.backup.real_tables import two_tables
from dp_assets_tests.usecases.backup.tiny_points import START_MS, Clock, back_up, verify_fully


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return two_tables(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def world(request, lake) -> World:
    return make_world(lake, PlainSealing() if request.param == "plain" else sealed())


def test_only_what_one_point_needs_is_looked_at(world):
    files = expected_breaks(world)
    data = next(key for key, hits in files.items() if {hit[0] for hit in hits} == {2})
    repository = world.copy()
    flip(0.5)(repository.store.objects, data)
    assert verify_fully(repository, point=1).is_whole
    assert not verify_fully(repository, point=2).is_whole
    with pytest.raises(ConfigurationError, match="no recovery point 3"):
        verify_fully(repository, point=3)


def test_a_lost_manifest_list_breaks_its_snapshot_and_the_data_in_it_is_fine(world):
    files = expected_breaks(world)
    points = Points(world.repository)
    line = points.manifest(points.record(2)).tables[0]
    lists = [f for f in points.content(line).files if f.file.kind is FileKind.MANIFEST_LIST]
    data = [f for f in points.content(line).files if f.file.kind is FileKind.DATA]
    repository = world.copy()
    for stored in (lists[0], data[0]):
        lose(repository.store.objects, layout.object_key(stored.ref.name))
    outcome = verify_fully(repository)
    key = layout.object_key(lists[0].ref.name)
    assert broken(outcome, key) == files[key]
    # Which snapshots need the data file is known but for the one whose list is lost.
    key = layout.object_key(data[0].ref.name)
    assert data[0].file.path in {hit[2] for hit in broken(outcome, key)}


def test_everything_is_read_within_the_days_and_remembered(lake):
    world = make_world(lake, PlainSealing())
    index = SqliteRepositoryIndex(None, repository_id="r")
    read: list[int] = []
    for day in range(10):
        share = Share(START_MS + day * DAY_MS, reread_days=10)
        read.append(verify(world.repository, index, Verification(share)).reread)
        again = verify(world.repository, index, Verification(share))
        assert again.reread == 0  # this day's share is done
    total = verify_fully(world.repository).objects
    assert sum(read) == total
    assert max(read) < total
    index.close()


def test_what_was_never_read_is_overdue_when_its_point_is_old_enough(lake):
    world = make_world(lake, PlainSealing())
    index = SqliteRepositoryIndex(None, repository_id="r")
    late = Share(START_MS + 40 * DAY_MS, reread_days=10)
    outcome = verify(world.repository, index, Verification(late))
    assert outcome.reread == outcome.objects


def test_an_object_that_was_not_due_is_still_missed_when_its_size_is_wrong(lake):
    world = make_world(lake, PlainSealing())
    index = SqliteRepositoryIndex(None, repository_id="r")
    share = Share(START_MS, reread_days=3660)
    for damage, count in ((cut, 1), (lose, 1), (flip(0.5), 0)):
        repository = world.copy()
        key = next(iter(expected_breaks(world)))
        damage(repository.store.objects, key)
        assert len(verify(repository, index, Verification(share)).damages) == count
        index.clear()


@pytest.mark.parametrize("how", ["middle byte flipped", "deleted"])
def test_the_next_backup_stores_what_was_damaged_again(world, lake, how):
    tables, contents = lake
    files = expected_breaks(world)
    for key in list(files)[:4]:
        repository = world.copy()
        DAMAGES[how](repository.store.objects, key)
        index = SqliteRepositoryIndex(None, repository_id="r")
        refresh(Points(repository), repository, index)
        share = Share(START_MS, reread_days=30, full=True)
        assert not verify(repository, index, Verification(share)).is_whole
        assert index.stored(key.rpartition("/")[2]) is None
        back_up(repository, Clock(), tables, contents=contents, index=index)
        assert verify_fully(repository).is_whole  # also the points that were broken


def test_a_store_that_does_not_answer_is_no_verdict(world, monkeypatch):
    repository = world.copy()

    def silent(_: str):
        raise TransientError("no answer", hint="later")

    monkeypatch.setattr(repository.store, "open", silent)
    with pytest.raises(TransientError):
        verify_fully(repository)


def test_a_point_forgotten_meanwhile_is_not_missed(world, monkeypatch):
    repository = world.copy()
    key = next(k for k, hits in expected_breaks(world).items() if {h[0] for h in hits} == {2})
    listed = repository.store.list

    def forget_then_list(prefix: str):
        if prefix == "" and key in repository.store.objects:
            Points(repository).forget(2, now_ms=1, reason="test")
            lose(repository.store.objects, key)
        return listed(prefix)

    monkeypatch.setattr(repository.store, "list", forget_then_list)
    assert verify_fully(repository).is_whole
