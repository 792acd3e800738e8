"""Recovery points: whole or not at all, numbered once, gone as a whole."""

from contextlib import suppress
from dataclasses import replace

import pytest

from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.points import Points, SealedManifest
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets_tests.domains.backup.repositories import (
    committed_point,
    person,
    plain_repository,
    point_manifest,
    point_record,
    reopened,
    sealed_repository,
)
from dp_assets_tests.fakes.objects import KilledError, MemoryObjectStore

FILES = {"a.parquet": b"aaa", "b.parquet": b"bb"}


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture(params=["plain", "encrypted"])
def repository(request: pytest.FixtureRequest, store: MemoryObjectStore) -> Repository:
    if request.param == "plain":
        return plain_repository(store)
    return sealed_repository(store, person())


@pytest.fixture
def points(repository: Repository) -> Points:
    return Points(repository)


def require_whole(repository: Repository, number: int) -> None:
    """Everything of the point can be read."""
    points = Points(repository)
    (table,) = points.manifest(points.record(number)).tables
    content = points.content(table)
    assert {f.file.path: repository.read(f.ref) for f in content.files} == FILES
    listed = points.references(points.record(number).references[0])
    assert {name for name, _, _ in listed.objects} == {f.ref.name for f in content.files}


def test_a_point_comes_back(repository, points):
    assert points.numbers() == ()
    number = committed_point(repository, FILES)
    assert points.numbers() == (number,)
    require_whole(repository, number)


def test_killed_at_each_step_it_is_there_whole_or_not_at_all():
    whole = MemoryObjectStore()
    committed_point(plain_repository(whole), FILES)
    begin = len(plain_store().changed)
    outcomes = []
    for steps in range(begin, len(whole.changed)):
        store = plain_store()
        store.changes_left = steps - begin
        repository = opened(store)
        with pytest.raises(KilledError):
            committed_point(repository, FILES)
        store.changes_left = None
        for number in Points(repository).numbers():
            require_whole(repository, number)
        outcomes.append(Points(repository).numbers())
        used = set(Points(repository).files())
        again = committed_point(repository, FILES)
        assert again not in used
        require_whole(repository, again)
    # The record is the commit; only its copy comes after it.
    assert outcomes == [()] * (len(outcomes) - 1) + [(1,)]
    assert whole.changed[-2:] == ["points/00000001/point.json", "points/00000001/point.copy.json"]


def plain_store() -> MemoryObjectStore:
    store = MemoryObjectStore()
    plain_repository(store)
    return store


def opened(store: MemoryObjectStore) -> Repository:
    return Repository(store, PlainSealing(), plain_repository(MemoryObjectStore()).description)


def test_of_two_who_commit_one_number_one_wins_and_stays_whole(repository, points, store):
    number = committed_point(repository, FILES)
    other = points.seal_manifest(replace(point_manifest(number), warehouse="file:///other"))
    before = dict(store.objects)
    with pytest.raises(TransientError, match=f"point {number} was written by another run"):
        points.commit(point_record(number, other.sha256), other)
    assert store.objects == before
    require_whole(repository, number)


def test_two_who_commit_one_number_step_by_step_never_mix(points, store):
    """One does its first steps, the other all of its own, and the first goes on."""
    manifests = [points.seal_manifest(replace(point_manifest(1), origin=o)) for o in "ab"]
    records = [point_record(1, m.sha256) for m in manifests]
    for steps in range(5):
        for key in [key for key in store.objects if key.startswith("points/")]:
            del store.objects[key]
        store.changes_left = steps
        with suppress(KilledError):
            points.commit(records[0], manifests[0])
        store.changes_left = None
        winners = [_won(points, records[i], manifests[i]) for i in (1, 0)]
        assert sum(winners) == 1
        assert points.manifest(points.record(1)).origin == ("b" if winners[0] else "a")


def _won(points: Points, record: object, manifest: SealedManifest) -> bool:
    try:
        points.commit(record, manifest)
    except TransientError:
        return False
    return True


def test_the_same_commit_again_is_harmless(repository, points):
    number = committed_point(repository, FILES)
    key = layout.point_key(number, f"{layout.MANIFEST}{'.age' * repository.sealing.encrypts}")
    stored = repository.store.read(key)
    record = points.record(number)
    points.commit(record, SealedManifest(stored, record.manifest_sha256))
    require_whole(repository, number)


def test_numbers_are_never_used_twice(repository, points):
    first, second = committed_point(repository, FILES), committed_point(repository, FILES)
    third = points.claim("killed before its commit", now_ms=1)
    for number in (first, second):
        points.forget(number, now_ms=9, reason="test")
    fourth = points.claim("later", now_ms=2)
    assert [first, second, third, fourth] == [1, 2, 3, 4]
    assert points.numbers() == ()


def test_who_loses_the_race_for_a_number_takes_the_next(points, store, monkeypatch):
    monkeypatch.setattr(points, "files", dict)  # as if it listed before the others came
    assert [points.claim(owner, now_ms=1) for owner in ("a", "b", "c")] == [1, 2, 3]
    assert len([key for key in store.objects if key.endswith("claim.json")]) == 3


def test_forgotten_at_each_step_it_is_gone(repository, points, store):
    number = committed_point(repository, FILES)
    kept = committed_point(repository, FILES)
    before = dict(store.objects)
    for steps in range(1, 6):
        store.objects = dict(before)
        store.changes_left = steps
        with suppress(KilledError):
            points.forget(number, now_ms=9, reason="test")
        store.changes_left = None
        assert points.numbers() == (kept,)
        with pytest.raises(ConfigurationError, match=f"no recovery point {number}"):
            points.record(number)
        points.forget(number, now_ms=10, reason="again")
        assert set(points.files()[number]) == {"claim.json", "pruned.json"}
        require_whole(repository, kept)


@pytest.mark.parametrize(
    "copy", [layout.RECORD, layout.RECORD_COPY, layout.MANIFEST, layout.MANIFEST_COPY]
)
def test_one_whole_copy_is_enough(repository, points, store, copy):
    number = committed_point(repository, FILES)
    (key,) = [key for key in store.objects if key.startswith(layout.point_key(number, copy))]
    for at in range(0, len(store.objects[key]), 7):
        store.damage(key, at=at)
        require_whole(repository, number)
        store.damage(key, at=at)
    del store.objects[key]
    assert points.numbers() == (number,)
    require_whole(repository, number)


def test_two_damaged_records_are_an_error_and_still_a_point(repository, points, store):
    number = committed_point(repository, FILES)
    for name in (layout.RECORD, layout.RECORD_COPY):
        store.damage(layout.point_key(number, name), at=20)
    assert points.numbers() == (number,)
    with pytest.raises(DamagedObjectError, match=r"point\.copy\.json"):
        points.record(number)


def test_every_altered_byte_of_both_manifests_is_noticed(repository, points, store):
    number = committed_point(repository, FILES)
    record = points.record(number)
    keys = [key for key in store.objects if f"{number:08d}/manifest" in key]
    assert len(keys) == 2
    for at in range(len(store.objects[keys[0]])):
        for key in keys:
            store.damage(key, at=at, bits=0x04)
        with pytest.raises(DamagedObjectError, match="both copies of the manifest"):
            points.manifest(record)
        for key in keys:
            store.damage(key, at=at, bits=0x04)


def test_swapped_points_are_noticed(repository, points, store):
    committed_point(repository, FILES), committed_point(repository, FILES)
    for name in (layout.RECORD, layout.RECORD_COPY):
        keys = layout.point_key(1, name), layout.point_key(2, name)
        store.objects[keys[0]], store.objects[keys[1]] = (store.objects[k] for k in reversed(keys))
    for number in (1, 2):
        with pytest.raises(DamagedObjectError, match="belongs to another place"):
            points.record(number)


def test_a_point_of_a_later_format_is_refused(points, store):
    record = replace(point_record(1, "0" * 64), format=layout.FORMAT + 1)
    store.objects[layout.point_key(1, layout.RECORD)] = checked(record)
    with pytest.raises(ConfigurationError, match="of format 2"):
        points.record(1)


def test_what_is_not_ours_is_no_point(points, store):
    for name in ("1/point.json", "00000001/notes.txt", "x/point.json", "00000003"):
        store.objects[f"points/{name}"] = b"x"
    assert points.numbers() == ()


def test_a_lost_list_of_references_is_damage(repository, points, store):
    number = committed_point(repository, FILES)
    (name,) = points.record(number).references
    del store.objects[layout.object_key(name)]
    with pytest.raises(DamagedObjectError, match=f"{name} is damaged: it is gone"):
        points.references(name)


def test_the_public_part_needs_no_key_and_the_rest_does(store):
    repository = sealed_repository(store, person())
    number = committed_point(repository, FILES)
    public = Points(reopened(repository, AgeSealing()))
    record = public.record(number)
    assert len(public.references(record.references[0]).objects) == len(FILES)
    with pytest.raises(ConfigurationError, match="no private key was given"):
        public.manifest(record)
    eve = Points(reopened(repository, AgeSealing(identities=[person().private])))
    with pytest.raises(ConfigurationError, match="none of the given private keys"):
        eve.manifest(record)


def test_no_path_and_no_content_is_readable_without_a_key(store):
    repository = sealed_repository(store, person())
    committed_point(repository, {"a.parquet": b"nobody may see this"})
    for content in store.objects.values():
        for text in (b"parquet", b"raw.t", b"file:///", b"nobody", b"sqlite"):
            assert text not in content
