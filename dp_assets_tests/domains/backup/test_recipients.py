"""For whom a repository is sealed: the newest list, and never one that nobody wanted."""

import pytest

from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.recipients import (
    Recipient,
    changed,
    keys_to_seal_for,
    newest_recipients,
    write_recipients,
)
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets_tests.fakes.objects import MemoryObjectStore

A, B, C = Recipient("age1a", "alice"), Recipient("age1b"), Recipient("age1c")
FIRST = "recipients/00000001.json"


@pytest.fixture
def store() -> MemoryObjectStore:
    store = MemoryObjectStore()
    write_recipients(store, [A, B], now_ms=1)
    return store


def test_the_newest_list_counts(store):
    write_recipients(store, [C], now_ms=0)  # a clock that went back changes nothing
    found = newest_recipients(store)
    assert found is not None
    assert (found.revision, found.recipients) == (2, (C,))
    assert keys_to_seal_for(store, ()) == ("age1c",)


def test_a_damaged_list_is_not_replaced_by_an_earlier_one(store):
    write_recipients(store, [A], now_ms=2)
    newest = "recipients/00000002.json"
    for at in range(len(store.objects[newest])):
        store.damage(newest, at=at)
        with pytest.raises(DamagedObjectError, match=newest):
            keys_to_seal_for(store, ())
        assert keys_to_seal_for(store, ("age1a",)) == ("age1a",)
        store.damage(newest, at=at)


def test_an_old_list_under_a_new_number_is_noticed(store):
    store.objects["recipients/00000009.json"] = store.objects[FIRST]
    with pytest.raises(DamagedObjectError, match="another place"):
        newest_recipients(store)


@pytest.mark.parametrize("expected", [("age1a",), ("age1a", "age1c"), ("age1a", "age1b", "age1c")])
def test_who_can_write_there_cannot_add_himself(store, expected):
    with pytest.raises(ConfigurationError, match="the settings say age1a"):
        keys_to_seal_for(store, expected)


def test_the_order_of_the_settings_does_not_matter(store):
    assert set(keys_to_seal_for(store, ("age1b", "age1a"))) == {"age1a", "age1b"}


def test_nobody_is_an_error(store):
    with pytest.raises(ConfigurationError, match="nobody is named"):
        keys_to_seal_for(MemoryObjectStore(), ())
    with pytest.raises(ConfigurationError, match="last recipient"):
        write_recipients(store, [], now_ms=1)
    assert list(store.objects) == [FIRST]


def test_changes(store):
    assert changed([A, B], add=[C], remove=["age1a"]) == (B, C)
    assert changed([A, B], add=[Recipient("age1b", "bob")]) == (A, Recipient("age1b", "bob"))
    with pytest.raises(ConfigurationError, match="age1c is no recipient"):
        changed([A, B], remove=["age1c"])


def test_of_two_changes_at_once_one_is_refused(store, monkeypatch):
    before = list(store.list(layout.RECIPIENTS))
    write_recipients(store, [A], now_ms=1)
    monkeypatch.setattr(store, "list", lambda _: iter(before))
    with pytest.raises(TransientError, match="changed at the same time"):
        write_recipients(store, [B], now_ms=1)
