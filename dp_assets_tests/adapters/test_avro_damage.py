"""Damaged Avro containers: one error that names the file; no crash, no hang, little memory."""

import io
import tracemalloc

import pytest

from dp_assets.adapters.recovery import avro_codecs
from dp_assets.adapters.recovery.avro_generic import Record, open_container, records, rewrite
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.avro_files import (
    RECORDS,
    SYNC,
    block,
    container,
    head,
    pack,
    text,
    varint,
)

CODECS = ("null", "deflate", "zstandard", "snappy")
MANY_BYTES = 1 << 60
MEGABYTE = 1 << 20


def altered(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) >= 1
    return content.replace(old, new, 1)


GOOD = container(RECORDS)


def of_items(items: object) -> dict[str, object]:
    fields = [{"name": "a", "type": {"type": "array", "items": items}}]
    return {"type": "record", "name": "r", "fields": fields}


DAMAGED = {
    "empty": b"",
    "bad-magic": b"Obj\x02" + GOOD[4:],
    "sync-of-a-block": GOOD[:-1] + b"\xee",
    "header-entry-of-absurd-size": b"Obj\x01" + varint(1) + varint(MANY_BYTES) + GOOD[6:],
    "header-entry-of-negative-size": b"Obj\x01" + varint(1) + varint(-5) + GOOD[6:],
    "header-with-absurd-count": b"Obj\x01" + varint(MANY_BYTES) + GOOD[5:],
    "number-without-end": b"Obj\x01" + b"\xff" * 100,
    "no-schema": b"Obj\x01" + varint(0) + SYNC,
    "schema-is-no-json": altered(GOOD, b'"record"', b'"record}'),
    "schema-of-unknown-type": altered(GOOD, b'"string"', b'"strung"'),
    "schema-nested-too-deeply": (
        b"Obj\x01" + varint(1) + text(b"avro.schema") + text(b"[" * 100_000) + varint(0) + SYNC
    ),
    "block-of-absurd-size": head() + varint(1) + varint(MANY_BYTES) + b"x" * 40,
    "block-of-negative-size": head() + varint(1) + varint(-1) + SYNC,
    "absurd-count-of-records": head() + block(RECORDS, count=MANY_BYTES),
    "absurd-count-of-empty-records": head({"type": "record", "name": "r", "fields": []})
    + varint(MANY_BYTES)
    + text(b"")
    + SYNC,
    "negative-count-of-records": head() + block(RECORDS, count=-1),
    "a-record-too-many": head() + block(RECORDS, count=6),
    "a-record-too-few": head() + block(RECORDS, count=4),
    "text-of-absurd-size": head() + varint(1) + text(varint(MANY_BYTES) + b"abc") + SYNC,
    "text-that-is-no-text": altered(GOOD, b"/a/0", b"/a\xff0"),
    "union-branch-that-is-not-there": head() + varint(1) + text(text(b"p") + varint(7)) + SYNC,
    "array-of-absurd-length": head()
    + varint(1)
    + text(text(b"p") + varint(0) + varint(MANY_BYTES) + b"\x01" * 30)
    + SYNC,
    "endless-array-of-nothing": head(of_items("null"))
    + varint(1)
    + text(varint(MANY_BYTES) + varint(0))
    + SYNC,
    "endless-array-of-empty-records": head(
        of_items({"type": "record", "name": "e", "fields": [{"name": "n", "type": "null"}]})
    )
    + varint(1)
    + text(varint(MANY_BYTES) + varint(0))
    + SYNC,
    **{
        f"{codec}-garbage": head(codec=codec) + varint(1) + text(b"\xfegarbage garbage") + SYNC
        for codec in CODECS[1:]
    },
    **{
        f"{codec}-cut": head(codec=codec) + varint(5) + text(pack(b"x" * 99, codec)[:-3]) + SYNC
        for codec in CODECS[1:]
    },
    "snappy-checksum": container(RECORDS, codec="snappy")[:-17] + b"\x00" + SYNC,
    "snappy-of-absurd-size": head(codec="snappy")
    + varint(1)
    + text(b"\xff\xff\xff\xff\x0f" + pack(b"abc", "snappy")[1:])
    + SYNC,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_error_that_names_the_file(content):
    tracemalloc.start()
    for read in (lambda: list(records(content, name="m0.avro")), lambda: rewrite_it(content)):
        with pytest.raises(PermanentError, match=r"m0\.avro"):
            read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MEGABYTE


class Endless:
    """A file that goes on for ever, as a damaged size believes."""

    def __init__(self, start: bytes, *, then: bytes) -> None:
        self._start = io.BytesIO(start)
        self._then = then
        self.given = 0

    def read(self, size: int, /) -> bytes:
        data = self._start.read(size) or self._then * size
        self.given += len(data)
        return data


@pytest.mark.parametrize(
    ("start", "then"),
    [
        pytest.param(head() + varint(1) + varint(MANY_BYTES), b"x", id="block"),
        pytest.param(b"Obj\x01" + varint(1) + varint(MANY_BYTES), b"x", id="header"),
        pytest.param(head(), b"\xff", id="number"),
    ],
)
def test_an_absurd_size_is_not_read(start, then):
    source = Endless(start, then=then)
    with pytest.raises(PermanentError, match="f is damaged"):
        list(records(source, name="f"))
    assert source.given < MEGABYTE


def keep(record: Record) -> None:
    """Change nothing."""
    del record


def rewrite_it(content: bytes) -> bytes:
    return rewrite(content, keep, name="m0.avro")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"AGS1" + b"x" * 99, "encrypted", id="encrypted"),
        pytest.param(container(RECORDS, codec="lzw"), "codec 'lzw'", id="unknown-codec"),
    ],
)
def test_what_cannot_be_read_is_said(content, words):
    with pytest.raises(PermanentError, match=words):
        open_container(content, name="f")


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_block_that_unpacks_to_more_than_allowed_is_refused(codec, monkeypatch):
    monkeypatch.setattr(avro_codecs, "MAX_BLOCK_BYTES", MEGABYTE)
    bomb = head(codec=codec) + varint(1) + text(pack(bytes(20 * MEGABYTE), codec)) + SYNC
    tracemalloc.start()
    with pytest.raises(PermanentError, match="a block cannot be decoded"):
        list(records(bomb, name="f"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * MEGABYTE


@pytest.mark.parametrize("codec", CODECS)
def test_no_flipped_byte_does_more_than_damage(codec):
    """Other values or one error; never a crash, a hang or another exception."""
    content = container(RECORDS, codec=codec)
    refused = 0
    for at in range(len(content)):
        for mask in (0xFF, 0x80, 0x01):
            spoiled = bytearray(content)
            spoiled[at] ^= mask
            try:
                list(records(bytes(spoiled), name="f"))
            except PermanentError:
                refused += 1
    assert refused > len(content)


@pytest.mark.parametrize("codec", CODECS)
def test_every_cut_is_noticed_except_between_blocks(codec):
    content = container(RECORDS[:2], RECORDS[2:], codec=codec)
    whole = [len(head(codec=codec)), len(container(RECORDS[:2], codec=codec)), len(content)]
    for end in range(len(content)):
        if end not in whole:
            with pytest.raises(PermanentError):
                list(records(content[:end], name="f"))
    assert list(records(content[: whole[1]], name="f")) == RECORDS[:2]
