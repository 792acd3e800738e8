"""Objects: stored once, read back only when they are still themselves."""

import io
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.adapters.recovery.sealing import AgeSealing
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup import layout, settling
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.recovery import References
from dp_assets_tests.domains.backup.repositories import (
    NAMING_KEY,
    NOTHING,
    added,
    person,
    plain_repository,
    reopened,
    sealed_repository,
)
from dp_assets_tests.fakes.known_objects import NothingKnown
from dp_assets_tests.fakes.objects import FullDisk, MemoryObjectStore

SECRET_TEXT = b"the content that nobody may see " * 20


class Remembering(NothingKnown):
    """What was added is known."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, int]] = {}

    def stored(self, name: str) -> tuple[str, int] | None:
        return self.objects.get(name)

    def added(self, name: str, stored_sha256: str, stored_size: int) -> None:
        self.objects[name] = (stored_sha256, stored_size)


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture(params=["plain", "encrypted"])
def repository(request: pytest.FixtureRequest, store: MemoryObjectStore) -> Repository:
    if request.param == "plain":
        return plain_repository(store)
    return sealed_repository(store, person())


def objects(store: MemoryObjectStore) -> list[str]:
    return [info.key for info in store.list(layout.OBJECTS)]


@pytest.mark.parametrize("content", [b"", b"x", SECRET_TEXT, bytes(range(256)) * 9000])
def test_content_comes_back(repository, store, content):
    ref = added(repository, content)
    assert repository.read(ref) == content
    (key,) = objects(store)
    assert key == f"objects/{ref.name[:2]}/{ref.name}"
    assert (ref.size, ref.stored_size) == (len(content), len(store.objects[key]))
    assert repository.is_as_stored(ref)


def test_a_real_folder_holds_the_same(tmp_path):
    alice = person()
    for name, repository in (
        ("plain", plain_repository(LocalObjectStore(tmp_path / "plain"))),
        ("sealed", sealed_repository(LocalObjectStore(tmp_path / "sealed"), alice)),
    ):
        ref = added(repository, SECRET_TEXT)
        file = tmp_path / name / "objects" / ref.name[:2] / ref.name
        assert repository.read(ref) == SECRET_TEXT
        assert (SECRET_TEXT in file.read_bytes()) == (name == "plain")


def test_plain_objects_are_named_by_their_hash_and_sealed_ones_by_no_hash_of_theirs(store):
    plain = added(plain_repository(MemoryObjectStore()), SECRET_TEXT)
    sealed = added(sealed_repository(store, person()), SECRET_TEXT)
    assert plain.name == plain.sha256 == plain.stored_sha256
    assert sealed.sha256 == plain.sha256
    assert len({sealed.name, sealed.sha256, sealed.stored_sha256}) == 3


def test_known_content_is_not_stored_again(repository, store):
    known = Remembering()
    first = added(repository, SECRET_TEXT, known=known)
    changes = len(store.changed)
    assert added(repository, SECRET_TEXT, known=known) == first
    assert len(store.changed) == changes


def test_unknown_content_replaces_what_is_there(repository, store):
    ref = added(repository, SECRET_TEXT)
    store.damage(layout.object_key(ref.name))
    again = added(repository, SECRET_TEXT, known=NOTHING)
    assert repository.read(again) == SECRET_TEXT


class Meeting(Remembering):
    """Two threads that ask at the same time, if they can, get the same answer."""

    def __init__(self) -> None:
        super().__init__()
        self._both = threading.Barrier(2)

    def stored(self, name: str) -> tuple[str, int] | None:
        answer = super().stored(name)
        with suppress(threading.BrokenBarrierError):
            self._both.wait(timeout=0.2)
        return answer


def test_threads_that_store_the_same_content_record_the_same_bytes(store):
    repository, known = sealed_repository(store, person()), Meeting()
    refs = []

    def store_it() -> None:
        refs.append(added(repository, SECRET_TEXT, known=known))

    threads = [threading.Thread(target=store_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(refs)) == 1
    assert len([key for key in store.changed if key.startswith("objects/")]) == 1
    assert repository.is_as_stored(refs[0])


@pytest.mark.parametrize("bits", [0x01, 0xFF])
def test_every_altered_byte_is_noticed(repository, store, bits):
    ref = added(repository, b"short")
    key = layout.object_key(ref.name)
    for at in range(ref.stored_size):
        store.damage(key, at=at, bits=bits)
        assert not repository.is_as_stored(ref)
        with pytest.raises(DamagedObjectError, match=ref.name):
            repository.read(ref)
        store.damage(key, at=at, bits=bits)
    assert repository.read(ref) == b"short"


def test_every_shorter_object_is_noticed(repository, store):
    ref = added(repository, b"short")
    key = layout.object_key(ref.name)
    whole = store.objects[key]
    for size in range(len(whole)):
        store.objects[key] = whole[:size]
        with pytest.raises(DamagedObjectError):
            repository.read(ref)
    store.objects[key] = whole + b"x"
    with pytest.raises(DamagedObjectError):
        repository.read(ref)


def test_swapped_objects_are_noticed(repository, store):
    one, other = added(repository, b"one 1"), added(repository, b"other")
    keys = layout.object_key(one.name), layout.object_key(other.name)
    store.objects[keys[0]], store.objects[keys[1]] = (store.objects[k] for k in reversed(keys))
    for ref in (one, other):
        with pytest.raises(DamagedObjectError):
            repository.read(ref)


def test_a_lost_object_is_missing(repository, store):
    ref = added(repository, b"x")
    del store.objects[layout.object_key(ref.name)]
    assert not repository.is_as_stored(ref)
    with pytest.raises(MissingObjectError):
        repository.read(ref)


def test_a_full_disk_is_not_taken_for_a_damaged_object(repository):
    ref = added(repository, SECRET_TEXT)
    with pytest.raises(PermanentError, match="no space left") as caught:
        repository.copy_to(ref, FullDisk())
    assert not isinstance(caught.value, DamagedObjectError)


def test_documents_come_back(repository):
    value = References((("a", "b", 3),))
    ref = repository.add_document(value, known=NOTHING)
    assert repository.read_document(References, ref) == value


def test_public_documents_need_no_key_and_are_checked_by_their_name(repository, store):
    value = References((("a", "b", 3),))
    name, size = repository.add_public(value)
    key = layout.object_key(name)
    assert size == len(store.objects[key])
    reader = reopened(repository, AgeSealing())
    assert reader.read_public(References, name) == value
    for at in range(size):
        store.damage(key, at=at)
        with pytest.raises(DamagedObjectError, match=name):
            reader.read_public(References, name)
        store.damage(key, at=at)


def test_everybody_it_was_sealed_for_reads_it_and_nobody_else(store):
    alice, bob, eve = person(), person(), person()
    repository = sealed_repository(store, alice, bob, can_read=False)
    ref = added(repository, SECRET_TEXT)
    for reader in (alice, bob):
        sealing = AgeSealing(identities=[eve.private, reader.private])
        assert reopened(repository, sealing).read(ref) == SECRET_TEXT
    with pytest.raises(ConfigurationError, match="none of the given private keys"):
        reopened(repository, AgeSealing(identities=[eve.private])).read(ref)
    with pytest.raises(ConfigurationError, match="no private key was given"):
        repository.read(ref)


def test_after_rotation_old_objects_open_with_the_old_key_only(store):
    old, new = person(), person()
    repository = sealed_repository(store, old, can_read=False)
    before = added(repository, b"before")
    sealing = AgeSealing(recipients=[new.public], naming_key=NAMING_KEY)
    after = added(reopened(repository, sealing), b"after")
    reader = reopened(repository, AgeSealing(identities=[new.private]))
    assert reader.read(after) == b"after"
    with pytest.raises(ConfigurationError):
        reader.read(before)
    both = reopened(repository, AgeSealing(identities=[new.private, old.private]))
    assert (both.read(before), both.read(after)) == (b"before", b"after")


def test_the_recorded_size_counts_too(repository):
    ref = added(repository, b"x")
    with pytest.raises(DamagedObjectError):
        repository.read(replace(ref, size=2))


def test_a_source_that_fails_leaves_nothing(repository, store):
    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise MissingObjectError("the source is gone", hint="fake")

    with pytest.raises(MissingObjectError, match="the source is gone"):
        repository.add(Failing(), known=NOTHING)
    assert objects(store) == []


class FailingDisk(MemoryObjectStore):
    """It fails to write once, and tells of it only once."""

    def __init__(self) -> None:
        super().__init__()
        self.errors = [PermanentError("sync: the disk fails", hint="replace it")]
        self.asked = threading.Event()

    def settle(self) -> None:
        self.asked.set()
        if self.errors:
            raise self.errors.pop()


def test_a_failure_while_more_is_stored_is_not_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settling, "EVERY_BYTES", 1)
    store = FailingDisk()
    repository = plain_repository(store)
    added(repository, b"content")
    assert store.asked.wait(timeout=10)  # before anybody asked for it
    with pytest.raises(PermanentError, match="the disk fails"):
        repository.settle()
    repository.settle()
