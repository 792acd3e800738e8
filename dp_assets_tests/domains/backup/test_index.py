"""The index in step with the repository: what it takes over, and what it does not believe."""

import pytest

from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.adapters.recovery.sealing import AgeSealing
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.index import KnownFiles, Refreshed, refresh
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.prune import Condemned
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.repository_index import Checked, FileKey, KnownFile
from dp_assets_tests.domains.backup.repositories import (
    NAMING_KEY,
    added,
    commit_refs,
    committed_point,
    person,
    plain_repository,
    reopened,
    sealed_repository,
)
from dp_assets_tests.fakes.objects import MemoryObjectStore

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
def index() -> SqliteRepositoryIndex:
    return SqliteRepositoryIndex(None, repository_id="r-1")


def key(path: str, size: int) -> FileKey:
    return FileKey("u-1", path, size, "v1")


KEYS = [key(path, len(content)) for path, content in FILES.items()]


def in_step(repository: Repository, index: SqliteRepositoryIndex, **more: bool) -> Refreshed:
    return refresh(Points(repository), repository, index, **more)


def test_objects_and_files_are_learnt_from_the_points(repository, index):
    committed_point(repository, FILES)
    assert in_step(repository, index) == Refreshed(1, 0, files=2, files_unread=0)
    found = index.files(KEYS)
    assert {k.path: repository.read(f.ref) for k, f in found.items()} == FILES
    assert not any(file.pending for file in found.values())
    assert in_step(repository, index) == Refreshed(0, 0, files=0, files_unread=0)


def test_a_nothing_changed_point_costs_its_record_and_manifest_only(repository, store, index):
    committed_point(repository, FILES)
    in_step(repository, index)
    refs = {k.path: found.ref for k, found in index.files(KEYS).items()}
    number = Points(repository).claim("test", now_ms=1)
    commit_refs(repository, number, refs, known=index)
    for name in [key for key in store.objects if key.startswith("objects/")]:
        del store.objects[name]
    assert in_step(repository, index) == Refreshed(1, 0, files=0, files_unread=0)


def test_without_a_private_key_objects_are_learnt_and_files_are_not(store, index):
    repository = sealed_repository(store, alice := person())
    committed_point(repository, FILES)
    writer = reopened(repository, AgeSealing(recipients=[alice.public], naming_key=NAMING_KEY))
    assert in_step(writer, index) == Refreshed(1, 0, files=0, files_unread=1)
    assert index.files(KEYS) == {}
    changes = len([key for key in store.changed if key.startswith("objects/")])
    committed_point(writer, FILES, known=index)
    stored = [key for key in store.changed if key.startswith("objects/")][changes:]
    assert len(stored) == 1  # the list of references, named by its own hash


def test_one_s_own_point_needs_no_key(store, index):
    repository = sealed_repository(store, alice := person())
    writer = reopened(repository, AgeSealing(recipients=[alice.public], naming_key=NAMING_KEY))
    number = Points(writer).claim("test", now_ms=1)
    refs = {path: added(writer, content, known=index) for path, content in FILES.items()}
    index.add_files((key(path, r.size), r) for path, r in refs.items())
    commit_refs(writer, number, refs, known=index)
    assert in_step(writer, index, learn_files=False) == Refreshed(1, 0, files=0, files_unread=0)
    assert {k.path: f for k, f in index.files(KEYS).items()} == {
        path: KnownFile(r, pending=False) for path, r in refs.items()
    }


def test_forgotten_points_are_forgotten(repository, index):
    first = committed_point(repository, FILES)
    in_step(repository, index)
    Points(repository).forget(first, now_ms=1, reason="test")
    assert in_step(repository, index).forgotten == 1
    assert index.files(KEYS) == {}


def test_condemned_objects_are_stored_again(repository, store, index):
    committed_point(repository, FILES)
    in_step(repository, index)
    name = index.files(KEYS)[KEYS[0]].ref.name
    store.objects["condemned/00000001.json"] = checked(Condemned(1, 5, (name,)))
    in_step(repository, index)
    assert set(index.files(KEYS)) == {KEYS[1]}
    before = len(store.changed)
    again = added(repository, FILES["a.parquet"], known=index)
    assert store.changed[before:] == [layout.object_key(name)]
    assert repository.is_as_stored(again)


def test_the_next_backup_heals_a_damaged_object(repository, store, index):
    committed_point(repository, FILES)
    in_step(repository, index)
    ref = index.files(KEYS)[KEYS[0]].ref
    store.damage(layout.object_key(ref.name))
    index.set_checked({ref.name: Checked(1, damaged=True)})
    assert KEYS[0] not in index.files(KEYS)
    committed_point(repository, FILES, known=index)
    in_step(repository, index)
    assert repository.read(index.files(KEYS)[KEYS[0]].ref) == FILES["a.parquet"]


@pytest.mark.parametrize("fate", ["whole", "altered", "half", "gone"])
def test_what_a_killed_backup_stored_is_read_before_it_is_believed(
    repository, store, tmp_path, fate
):
    file = tmp_path / "i.db"
    killed = SqliteRepositoryIndex(file, repository_id="r-1")
    ref = added(repository, FILES["a.parquet"], known=killed)
    killed.add_files([(KEYS[0], ref)])
    killed.close()
    at = layout.object_key(ref.name)
    if fate == "altered":
        store.damage(at)
    elif fate == "half":  # of the right size
        store.objects[at] = store.objects[at][:1] + bytes(ref.stored_size - 1)
    elif fate == "gone":
        del store.objects[at]
    index = SqliteRepositoryIndex(file, repository_id="r-1")
    known = KnownFiles(repository, index)
    row = known.find(KEYS)[KEYS[0]]
    assert row.pending
    assert known.trusted(row) == (ref if fate == "whole" else None)
    assert (index.stored(ref.name) is not None) == (fate == "whole")
    index.close()


def test_a_committed_row_is_trusted_as_it_is(repository, index):
    committed_point(repository, FILES)
    in_step(repository, index)
    row = index.files(KEYS)[KEYS[0]]
    assert KnownFiles(repository, index).trusted(row) == row.ref


def test_a_damaged_point_is_named_and_keeps_no_new_one_from_being_made(repository, store, index):
    number = committed_point(repository, {"a.parquet": b"aaa"})
    committed_point(repository, FILES)
    for name in (layout.RECORD, layout.RECORD_COPY):
        store.damage(layout.point_key(number, name))
    assert in_step(repository, index).damaged == (number,)
    assert set(index.files(KEYS)) == set(KEYS)
    assert in_step(repository, index).damaged == (number,)  # nor is it ever taken for learnt


def test_a_repository_that_came_back_from_a_replica_is_learnt_again(repository, store, index):
    committed_point(repository, {"a.parquet": b"aaa"})
    replica = dict(store.objects)
    committed_point(repository, FILES)
    in_step(repository, index)
    store.objects = replica
    committed_point(repository, {"c.parquet": b"cc"})
    in_step(repository, index)
    assert set(index.files([*KEYS, key("c.parquet", 2)])) == {KEYS[0], key("c.parquet", 2)}
