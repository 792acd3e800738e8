"""Documents as bytes: what is altered is noticed, what is newer is read."""

from dataclasses import dataclass

import pytest

from dp_assets.domains.backup.documents import (
    checked,
    pack,
    read_either,
    to_json,
    unchecked,
    unpack,
)
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets_tests.fakes.objects import MemoryObjectStore


@dataclass(frozen=True)
class Note:
    number: int
    text: str


@dataclass(frozen=True)
class LongerNote:
    number: int
    text: str
    added_later: bool


NOTE = Note(7, "é \n {}")


@pytest.mark.parametrize("bits", [0x01, 0x20, 0xFF])
def test_every_altered_byte_of_a_checked_document_is_noticed(bits):
    whole = checked(NOTE)
    assert unchecked(Note, whole, about="note") == NOTE
    for at in range(len(whole)):
        altered = bytearray(whole)
        altered[at] ^= bits
        with pytest.raises(DamagedObjectError, match="note"):
            unchecked(Note, bytes(altered), about="note")


def test_every_shorter_or_longer_checked_document_is_noticed():
    whole = checked(NOTE)
    for altered in [
        *(whole[:size] for size in range(len(whole))),
        whole + b"\n",
        whole + b"x",
        b"\n" + whole,
    ]:
        with pytest.raises(DamagedObjectError):
            unchecked(Note, altered, about="note")


def test_the_checksum_is_that_of_the_first_line():
    import hashlib

    first, second, rest = checked(NOTE).split(b"\n")
    assert hashlib.sha256(first).hexdigest().encode() == second
    assert rest == b""


def test_packing_is_the_same_each_time_and_reversible():
    assert pack(NOTE) == pack(NOTE)
    assert unpack(Note, pack(NOTE), about="note") == NOTE


@pytest.mark.parametrize("bad", [b"", b"no gzip", pack(NOTE)[:-9], pack(NOTE)[:12]])
def test_what_does_not_unzip_is_damaged(bad):
    with pytest.raises(DamagedObjectError, match="note"):
        unpack(Note, bad, about="note")


def test_what_a_later_version_added_is_left_out():
    later = LongerNote(7, "é \n {}", added_later=True)
    assert unchecked(Note, checked(later), about="note") == NOTE
    assert unpack(Note, pack(later), about="note") == NOTE


def test_what_lacks_a_field_is_damaged_and_named():
    with pytest.raises(DamagedObjectError, match="added_later"):
        unchecked(LongerNote, checked(NOTE), about="note")


def test_a_document_is_one_line():
    assert b"\n" not in to_json(NOTE)


KEYS = ("a.json", "b.json")


@pytest.mark.parametrize("lost", KEYS)
@pytest.mark.parametrize("how", ["gone", "damaged", "of another place"])
def test_one_whole_copy_is_enough(lost, how):
    store = MemoryObjectStore({key: checked(NOTE) for key in KEYS})
    if how == "gone":
        del store.objects[lost]
    elif how == "damaged":
        store.damage(lost)
    else:
        store.objects[lost] = checked(Note(8, "swapped"))
    assert read_either(store, Note, KEYS, is_right=lambda note: note.number == 7) == NOTE


def test_no_copy_is_none_and_two_damaged_ones_are_an_error():
    assert read_either(MemoryObjectStore(), Note, KEYS) is None
    store = MemoryObjectStore({key: checked(NOTE)[:-1] for key in KEYS})
    with pytest.raises(DamagedObjectError, match=r"b\.json"):
        read_either(store, Note, KEYS)
