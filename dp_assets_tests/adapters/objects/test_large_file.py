"""Files written past the page cache: every byte arrives, whatever the sizes and the file system."""

import errno
import fcntl
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dp_assets.adapters.objects import large_file
from dp_assets.adapters.objects.large_file import BLOCK_BYTES, O_DIRECT, LargeFile, PagePool
from dp_assets.adapters.objects.local_objects import LARGE_BYTES
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.ports.object_store import CHUNK_BYTES

SIZES = (0, 1, BLOCK_BYTES, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 5000)
SEED = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "large"


def knows_it(path: Path) -> bool:
    with path.open("xb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETFL, O_DIRECT)
        except OSError:
            return False
    path.unlink()
    return bool(O_DIRECT)


def chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311 - no secret


def pieces(content: bytes) -> Iterator[bytes]:
    """``content`` in pieces of no size in particular."""
    sizes, at = chance(), 0
    while at < len(content):
        size = sizes.choice((1, 511, 70_000, 3 * CHUNK_BYTES))
        yield content[at : at + size]
        at += size


def write(path: Path, content: bytes, *, past_cache: bool = True) -> bool:
    """Whether it went past the page cache."""
    file = LargeFile(os.open(path, os.O_WRONLY | os.O_CREAT), PagePool(), past_cache=past_cache)
    try:
        for piece in pieces(content):
            file.write(piece)
        file.finish()
        return file.is_past_cache
    finally:
        file.close()


def refusing(call: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_file.os, "write", call)


@pytest.mark.parametrize("past_cache", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_every_byte_arrives(path: Path, size: int, *, past_cache: bool):
    content = chance().randbytes(size)
    write(path, content, past_cache=past_cache)
    assert path.read_bytes() == content


def test_only_the_last_bytes_wait_in_the_page_cache(path: Path, monkeypatch: pytest.MonkeyPatch):
    if not knows_it(path):
        pytest.skip("this file system writes nothing past the page cache")
    waiting: list[int] = []
    plain = os.write

    def seen(descriptor: int, data: memoryview) -> int:
        if not fcntl.fcntl(descriptor, fcntl.F_GETFL) & O_DIRECT:
            waiting.append(len(data))
        return plain(descriptor, data)

    refusing(seen, monkeypatch)
    assert write(path, bytes(2 * CHUNK_BYTES + 5000))
    assert waiting == [5000 % BLOCK_BYTES]


def test_a_file_system_that_does_not_know_it(path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "")

    monkeypatch.setattr(large_file.fcntl, "fcntl", refuse)
    content = chance().randbytes(CHUNK_BYTES + 77)
    assert not write(path, content)
    assert path.read_bytes() == content


def test_a_file_system_that_refuses_later(path: Path, monkeypatch: pytest.MonkeyPatch):
    plain = os.write

    def refuse(descriptor: int, data: memoryview) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & O_DIRECT:
            raise OSError(errno.EINVAL, "")
        return plain(descriptor, data)

    refusing(refuse, monkeypatch)
    content = chance().randbytes(2 * CHUNK_BYTES + 77)
    assert not write(path, content)
    assert path.read_bytes() == content


def test_a_call_that_takes_a_part(path: Path, monkeypatch: pytest.MonkeyPatch):
    plain = os.write
    refusing(lambda descriptor, data: plain(descriptor, data[: 5 * BLOCK_BYTES]), monkeypatch)
    content = chance().randbytes(CHUNK_BYTES + 77)
    write(path, content)
    assert path.read_bytes() == content


def test_an_error_of_the_disk_is_raised(path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "")

    refusing(fail, monkeypatch)
    with pytest.raises(OSError, match="Errno 5"):
        write(path, bytes(CHUNK_BYTES))


def test_memory_is_used_again(tmp_path: Path):
    store = LocalObjectStore(tmp_path)
    for number in range(3):
        with store.upload() as upload:
            upload.write(bytes([number]) * (LARGE_BYTES + number))
            upload.commit(f"k{number}")
    assert len(store._pool._free) == 1
    assert [store.read(f"k{n}") for n in range(3)] == [
        bytes([n]) * (LARGE_BYTES + n) for n in range(3)
    ]
