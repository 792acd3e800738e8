"""One suite for every object store; the bucket is on a real server, the races are real."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import pytest

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.object_store import CHUNK_BYTES, MissingObjectError, ObjectStore
from dp_assets_tests.services import S3

RACERS = 8
ROUNDS = 5
# More than stays in memory: on its way to a bucket it waits in a file, and goes in parts.
LARGE_BYTES = (32 << 20) + 3


@dataclass(frozen=True)
class Place:
    """Where a store is."""

    url: str
    properties: dict[str, str]
    tmp_dir: Path

    def open(self) -> ObjectStore:
        return open_store(self.url, properties=self.properties, tmp_dir=self.tmp_dir)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(f"file://{tmp_path / 'store'}", {}, tmp_path / "tmp")
    s3: S3 = request.getfixturevalue("s3")
    return Place(s3.url, s3.properties, tmp_path / "tmp")


@pytest.fixture
def store(place: Place) -> ObjectStore:
    return place.open()


def pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, CHUNK_BYTES):
        yield bytes([start // CHUNK_BYTES % 251]) * min(CHUNK_BYTES, size - start)


def whole(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as reader:
        return b"".join(iter(lambda: reader.read(CHUNK_BYTES), b""))


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_the_first_creator_wins_and_nothing_changes_it(place: Place):
    assert place.open().create("a/b.json", b"first")
    assert not place.open().create("a/b.json", b"second")
    assert place.open().read("a/b.json") == b"first"


def test_put_replaces(store: ObjectStore):
    store.put("a", b"one")
    store.put("a", b"another")
    assert (store.read("a"), store.size("a"), keys(store)) == (b"another", 7, ["a"])


def test_a_put_asks_at_the_last_moment_and_leaves_what_was_there(store: ObjectStore):
    def lost() -> None:
        raise TransientError("the lease is lost", hint="run it again")

    store.put("a", b"one")
    with pytest.raises(TransientError, match="the lease is lost"):
        store.put("a", b"another", guard=lost)
    assert (store.read("a"), keys(store)) == (b"one", ["a"])
    store.put("a", b"another", guard=lambda: None)
    assert store.read("a") == b"another"


def test_an_empty_object_is_an_object(store: ObjectStore):
    assert store.create("empty", b"")
    assert (store.size("empty"), store.read("empty"), whole(store, "empty")) == (0, b"", b"")


def test_what_is_not_there(store: ObjectStore):
    assert store.size("no/thing") is None
    assert keys(store, "no/") == []
    with pytest.raises(MissingObjectError, match="no/thing: it is not there"):
        store.read("no/thing")
    with pytest.raises(MissingObjectError, match="no/thing"):
        whole(store, "no/thing")
    store.delete(["no/thing"])


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES + 1, LARGE_BYTES])
def test_an_upload_of_any_size(store: ObjectStore, size: int):
    with store.upload() as upload:
        for piece in pieces(size):
            upload.write(piece)
        assert keys(store) == []
        upload.commit("up/loaded")
    assert store.size("up/loaded") == size
    assert whole(store, "up/loaded") == store.read("up/loaded") == b"".join(pieces(size))


@pytest.mark.parametrize("size", [1, LARGE_BYTES])
def test_an_upload_keeps_a_taken_key_unless_told(store: ObjectStore, size: int):
    store.put("k", b"old")
    for replace, expected in ((False, b"old"), (True, b"".join(pieces(size)))):
        with store.upload() as upload:
            for piece in pieces(size):
                upload.write(piece)
            upload.commit("k", replace=replace)
        assert store.read("k") == expected


def test_an_upload_without_commit_leaves_nothing(place: Place, tmp_path: Path):
    store = place.open()
    store.put("k", b"x")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with store.upload() as upload:
        for piece in pieces(LARGE_BYTES):
            upload.write(piece)
    assert keys(store) == ["k"]
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_reading_in_order_and_only_a_part(store: ObjectStore):
    store.put("k", b"0123456789")
    with store.open("k") as reader:
        assert (reader.read(4), reader.read(4), reader.read(4)) == (b"0123", b"4567", b"89")
        assert reader.read(4) == b""
    with store.open("k") as reader:
        assert reader.read(1) == b"0"


def test_a_listing_is_sorted_whole_and_by_any_prefix(store: ObjectStore):
    stored = ["points/00000002/a.json", "points/00000001/b", "objects/ab/ab1", "objects/ac/ac2"]
    for key in [*stored, "pointed"]:
        store.put(key, key.encode())
    assert keys(store) == sorted([*stored, "pointed"])
    assert keys(store, "points/") == ["points/00000001/b", "points/00000002/a.json"]
    assert keys(store, "point") == ["pointed", "points/00000001/b", "points/00000002/a.json"]
    assert keys(store, "objects/ab/ab") == ["objects/ab/ab1"]
    assert keys(store, "objects/ab") == ["objects/ab/ab1"]
    (info,) = store.list("objects/ab/ab1")
    assert info.size == len("objects/ab/ab1")
    assert info.modified_ms > 1_700_000_000_000


def test_a_listing_of_many_pages(store: ObjectStore):
    wanted = [f"many/{number:05d}" for number in range(1100)]
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda key: store.create(key, b"x"), wanted))
    assert keys(store, "many/") == wanted
    store.delete(wanted)
    assert keys(store, "many/") == []


def test_deleting_takes_exactly_what_was_named(store: ObjectStore):
    for key in ("a/1", "a/2", "a/3"):
        store.put(key, b"x")
    store.delete(iter(["a/1", "never", "a/3"]))
    assert keys(store) == ["a/2"]


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.hidden", "a b", "ä", "a\\b", "a\n", "x" * 901],
)
def test_what_is_no_key_is_refused_everywhere(store: ObjectStore, key: str):
    for act in (
        lambda: store.create(key, b""),
        lambda: store.put(key, b""),
        lambda: store.read(key),
        lambda: store.size(key),
        lambda: store.delete([key]),
        lambda: whole(store, key),
    ):
        with pytest.raises(PermanentError, match="is not a key"):
            act()
    with store.upload() as upload, pytest.raises(PermanentError, match="is not a key"):
        upload.commit(key)
    assert keys(store) == []


def test_eight_threads_exactly_one_creates(store: ObjectStore):
    start = Barrier(RACERS)

    def create(number: int) -> list[int]:
        start.wait()
        return [r for r in range(ROUNDS) if store.create(f"race/{r}", f"{number}".encode())]

    with ThreadPoolExecutor(RACERS) as threads:
        won = list(threads.map(create, range(RACERS)))
    check_one_winner(store, won, suffix="")


def test_eight_processes_exactly_one_creates(place: Place):
    given = {"url": place.url, "properties": place.properties, "tmp_dir": str(place.tmp_dir)}
    command = [sys.executable, "-m", "dp_assets_tests.adapters.object_racer", json.dumps(given)]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([*command, str(n), str(ROUNDS)], stdin=pipe, stdout=pipe, text=True)
        for n in range(RACERS)
    ]
    try:
        assert {process.stdout.readline() for process in processes} == {"ready\n"}
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        won = [json.loads(process.stdout.readline()) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    check_one_winner(place.open(), won, suffix=".json")


def check_one_winner(store: ObjectStore, won: list[list[int]], *, suffix: str) -> None:
    """Each round has one winner, and what is stored is that winner's."""
    assert sorted(r for rounds in won for r in rounds) == list(range(ROUNDS))
    winner = {r: number for number, rounds in enumerate(won) for r in rounds}
    stored = {r: int(store.read(f"race/{r}{suffix}")) for r in range(ROUNDS)}
    assert stored == winner
