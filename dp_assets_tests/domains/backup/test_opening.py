"""Making a repository and opening it: whole or not at all, and with the right key."""

from dataclasses import replace

import pytest

from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.secrets import Secret
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.opening import (
    Description,
    describe,
    initialise,
    open_repository,
)
from dp_assets.domains.backup.recipients import newest_recipients
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets_tests.domains.backup.repositories import (
    NAMING_KEY,
    added,
    person,
    plain_repository,
    sealed_repository,
)
from dp_assets_tests.fakes.objects import KilledError, MemoryObjectStore


def plain(_: Description) -> PlainSealing:
    return PlainSealing()


def test_what_was_made_is_opened():
    store = MemoryObjectStore()
    made = plain_repository(store)
    found = open_repository(store, plain)
    assert found.description == made.description
    assert found.description.one_winner
    assert not found.description.encrypted


@pytest.mark.parametrize("copy", [layout.DESCRIPTION, layout.DESCRIPTION_COPY])
def test_one_copy_of_the_description_is_enough(copy):
    store = MemoryObjectStore()
    made = plain_repository(store).description
    for at in range(len(store.objects[copy])):
        store.damage(copy, at=at)
        assert describe(store) == made
        store.damage(copy, at=at)
    del store.objects[copy]
    assert describe(store) == made


def test_two_damaged_copies_are_an_error():
    store = MemoryObjectStore()
    plain_repository(store)
    store.damage(layout.DESCRIPTION)
    store.damage(layout.DESCRIPTION_COPY)
    with pytest.raises(DamagedObjectError, match=r"repository\.copy\.json"):
        open_repository(store, plain)


def test_there_is_none():
    with pytest.raises(ConfigurationError, match="there is no repository at memory"):
        open_repository(MemoryObjectStore(), plain)


@pytest.mark.parametrize("change", [{"format": 2}, {"naming": "blake3"}])
def test_what_a_later_version_made_is_refused(change):
    made = plain_repository(MemoryObjectStore()).description
    store = MemoryObjectStore({layout.DESCRIPTION: checked(replace(made, **change))})
    with pytest.raises(ConfigurationError, match="this software knows 1"):
        open_repository(store, plain)


@pytest.mark.parametrize("there", ["objects/ab/abcd", "holiday.jpg", "points/00000001/claim.json"])
def test_a_place_with_something_in_it_is_left_alone(there):
    store = MemoryObjectStore({there: b"x"})
    with pytest.raises(PermanentError, match=f"it holds {there}"):
        plain_repository(store)
    assert store.objects == {there: b"x"}


class FirstStays(MemoryObjectStore):
    """Tells everybody that he won, and keeps what was there."""

    def create(self, key: str, content: bytes) -> bool:
        super().create(key, content)
        return True


@pytest.mark.parametrize("store", [MemoryObjectStore(every_create_wins=True), FirstStays()])
def test_a_server_that_ignores_create_if_absent_is_found_out(store):
    assert not plain_repository(store).description.one_winner


def test_it_is_sealed_for_the_recipients_it_was_made_with():
    store, alice = MemoryObjectStore(), person()
    sealed_repository(store, alice)
    found = newest_recipients(store)
    assert found is not None
    assert found.keys == (alice.public,)


def test_another_naming_key_is_noticed_at_once():
    store, alice = MemoryObjectStore(), person()
    sealed_repository(store, alice)
    wrong = AgeSealing(recipients=[alice.public], naming_key=Secret("00" * 32))
    with pytest.raises(ConfigurationError, match="naming key is not that of the repository"):
        open_repository(store, lambda _: wrong)
    right = AgeSealing(recipients=[alice.public], naming_key=NAMING_KEY)
    assert added(open_repository(store, lambda _: right), b"x").size == 1


def test_a_reader_needs_no_naming_key():
    store, alice = MemoryObjectStore(), person()
    ref = added(sealed_repository(store, alice), b"x")
    reader = open_repository(store, lambda _: AgeSealing(identities=[alice.private]))
    assert reader.read(ref) == b"x"


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_killed_anywhere_it_is_there_or_can_be_made_again(kind):
    alice = person()

    def make(store: MemoryObjectStore) -> None:
        if kind == "plain":
            plain_repository(store)
        else:
            sealed_repository(store, alice)

    whole = MemoryObjectStore()
    make(whole)
    for changes in range(len(whole.changed)):
        store = MemoryObjectStore(changes_left=changes)
        with pytest.raises(KilledError):
            make(store)
        store.changes_left = None
        if describe(store) is None:
            make(store)
        assert describe(store) is not None
        assert (newest_recipients(store) is not None) == (kind == "encrypted")


def test_of_two_who_make_one_at_the_same_time_one_wins():
    store = MemoryObjectStore()

    class Slow(PlainSealing):
        """Somebody else is faster while this one names its probe."""

        def name_of(self, sha256: str) -> str:
            initialise(store, PlainSealing(), repository_id="fast", now_ms=1)
            return sha256

    with pytest.raises(PermanentError, match="somebody else"):
        initialise(store, Slow(), repository_id="slow", now_ms=1)
    found = describe(store)
    assert found is not None
    assert found.repository_id == "fast"
