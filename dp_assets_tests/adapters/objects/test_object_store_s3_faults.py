"""What a bucket's server can do to us: an error in our words, in bounded time, nothing half-done.

The faults are made by a proxy before a real server. Bounded time is proved by the time limit of
the tests: without deadlines of our own they would take minutes.
"""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.objects.s3_settings import S3Options
from dp_assets.core.errors import (
    ConfigurationError,
    LakeError,
    PermanentError,
    TransientError,
)
from dp_assets.ports.object_store import MissingObjectError, ObjectStore
from dp_assets_tests.adapters.faulty_s3 import TOLD, FaultyS3, faulty, listing
from dp_assets_tests.services import S3

# By a thread: a signal would not get through a client that never returns.
pytestmark = pytest.mark.timeout(30, method="thread")
QUICK = S3Options(deadline_s=20, retries=1, memory_bytes=6 << 20)
IMPATIENT = S3Options(deadline_s=1, retries=1, memory_bytes=6 << 20)
CONTENT = b"x" * 300_000
PARTS = 20 << 20


@pytest.fixture
def proxy(s3: S3) -> Generator[FaultyS3]:
    with faulty(s3.service.address) as running:
        yield running


@pytest.fixture
def store(s3: S3, proxy: FaultyS3, tmp_path: Path) -> ObjectStore:
    """Through the proxy, with one object in it."""
    properties = {**s3.properties, "s3.endpoint": proxy.address}
    opened = open_store(s3.url, properties=properties, tmp_dir=tmp_path, options=QUICK)
    opened.put("there", CONTENT)
    return opened


@pytest.fixture
def direct(s3: S3, tmp_path: Path) -> ObjectStore:
    """Past the proxy."""
    return open_store(s3.url, properties=s3.properties, tmp_dir=tmp_path)


def upload(store: ObjectStore, size: int) -> None:
    with store.upload() as one:
        one.write(b"u" * size)
        one.commit("new")


def read_open(store: ObjectStore) -> bytes:
    with store.open("there") as reader:
        return b"".join(iter(lambda: reader.read(1000), b""))


ACTS: dict[str, Callable[[ObjectStore], object]] = {
    "create": lambda store: store.create("new", b"n"),
    "put": lambda store: store.put("new", b"n"),
    "upload": lambda store: upload(store, 1),
    "upload-in-parts": lambda store: upload(store, PARTS),
    "read": lambda store: store.read("there"),
    "open": read_open,
    "size": lambda store: store.size("there"),
    "list": lambda store: list(store.list("")),
    "delete": lambda store: store.delete(["there"]),
}
HEAD_FIRST = ("size", "upload-in-parts")
VERDICTS = {
    (403, ""): (PermanentError, "access denied"),
    (401, ""): (ConfigurationError, "the keys are wrong"),
    (403, "RequestTimeTooSkewed"): (PermanentError, "the clocks"),
    (403, "ExpiredToken"): (ConfigurationError, "session token has expired"),
    (400, ""): (PermanentError, "the server refuses"),
    (500, ""): (TransientError, "the server fails"),
    (503, ""): (TransientError, "too busy"),
    ("drop", ""): (TransientError, "the connection broke"),
}


def check(error: LakeError, s3: S3, proxy: FaultyS3) -> None:
    """It says where, and gives nothing away."""
    assert f"s3://{s3.bucket}/{s3.prefix}" in error.what
    shown = f"{error} {error.__cause__} {error.__context__ if error.__cause__ else ''}"
    for secret in (TOLD, s3.properties["s3.secret-access-key"], s3.properties["s3.access-key-id"]):
        assert secret not in shown


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("fault", VERDICTS, ids=lambda f: f"{f[0]}{f[1]}")
def test_each_fault_of_each_call_is_one_clear_error(
    s3: S3, proxy: FaultyS3, store: ObjectStore, direct: ObjectStore, act: str, fault
):
    proxy.fault, proxy.code = fault
    kind, words = VERDICTS[fault]
    if act in HEAD_FIRST and fault[0] == 403:
        words, kind = "access denied", PermanentError  # an answer to HEAD has no words
    with pytest.raises(kind, match=words) as raised:
        ACTS[act](store)
    assert not isinstance(raised.value, MissingObjectError)
    check(raised.value, s3, proxy)
    assert [info.key for info in direct.list("")] == ["there"]
    proxy.fault = ""
    ACTS[act](store)  # and it works as soon as the fault has passed


@pytest.mark.parametrize("act", sorted(ACTS.keys() - {"delete"}))
@pytest.mark.parametrize("fault", [500, 503, "drop"])
def test_one_fault_is_survived(proxy: FaultyS3, store: ObjectStore, act: str, fault):
    proxy.fault, proxy.times = fault, 1
    ACTS[act](store)
    assert proxy.times == 0


def test_an_answer_that_is_cut_is_never_taken_for_the_whole(proxy: FaultyS3, store: ObjectStore):
    proxy.fault, proxy.matching = "cut", "^GET"
    with pytest.raises(TransientError, match="read s3://"):
        read_open(store)
    proxy.times = 1
    assert read_open(store) == CONTENT


def test_a_create_whose_answer_was_lost_is_still_ours(proxy: FaultyS3, store: ObjectStore):
    """The client asks again and hears that the key is taken: by itself."""
    proxy.fault, proxy.matching, proxy.times = "lost", "^PUT", 1
    assert store.create("claim", b"ours")
    assert store.read("claim") == b"ours"


def test_a_create_that_was_retried_can_still_lose(
    proxy: FaultyS3, store: ObjectStore, direct: ObjectStore
):
    direct.create("claim", b"theirs")
    proxy.fault, proxy.matching, proxy.times = 500, "^PUT", 1
    assert not store.create("claim", b"ours")
    assert direct.read("claim") == b"theirs"


def test_a_conflict_in_which_nobody_won_is_not_a_lost_race(proxy: FaultyS3, store: ObjectStore):
    proxy.fault, proxy.matching = 409, "^PUT"
    with pytest.raises(TransientError, match="somebody else writes"):
        store.create("claim", b"ours")


def test_a_part_that_fails_leaves_nothing(
    s3: S3, proxy: FaultyS3, store: ObjectStore, direct: ObjectStore
):
    proxy.fault, proxy.matching = 500, "partNumber=2"
    with pytest.raises(TransientError, match="the server fails"):
        upload(store, PARTS)
    assert any("?uploads" in one for one in proxy.seen)
    assert direct.size("new") is None
    assert s3.prefix.encode() not in s3.unfinished_uploads()


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(("a", "b"), id="repeated"),
        pytest.param(("b", "a"), id="backwards"),
        pytest.param(("a", "a"), id="twice"),
    ],
)
def test_a_listing_that_does_not_go_forward_ends(
    s3: S3, proxy: FaultyS3, store: ObjectStore, pages: tuple[str, ...]
):
    """Each page is followed by the same one, for ever."""
    names = [f"{s3.prefix}/{name}" for name in pages]
    proxy.fault, proxy.matching = listing(*names, following="again"), "list-type"
    with pytest.raises(PermanentError, match=r"the listing of .* goes from .* back to"):
        list(store.list(""))


def test_a_server_that_sorts_folder_by_folder_is_no_liar(
    s3: S3, proxy: FaultyS3, store: ObjectStore
):
    names = ["a", "a/b", "a-b"]
    proxy.fault, proxy.matching = listing(*(f"{s3.prefix}/{n}" for n in names)), "list-type"
    assert [info.key for info in store.list("")] == names


@pytest.mark.parametrize("act", ACTS)
def test_a_real_server_that_is_stopped(s3: S3, direct: ObjectStore, tmp_path: Path, act: str):
    impatient = open_store(s3.url, properties=s3.properties, tmp_dir=tmp_path, options=IMPATIENT)
    direct.put("there", CONTENT)
    with s3.stopped(), pytest.raises(TransientError, match="no answer in time"):
        ACTS[act](impatient)
    ACTS[act](direct)


def test_a_bucket_that_is_not_there(s3: S3, tmp_path: Path):
    url = f"s3://no-{s3.prefix}/x"
    reader = open_store(url, properties=s3.properties_of("reader"), tmp_dir=tmp_path)
    for act in (lambda: reader.read("k"), lambda: list(reader.list(""))):
        with pytest.raises(PermanentError, match="no such bucket") as raised:
            act()
        assert not isinstance(raised.value, MissingObjectError)


def test_a_server_that_hangs_in_the_middle_of_a_large_upload(
    s3: S3, proxy: FaultyS3, direct: ObjectStore, tmp_path: Path
):
    properties = {**s3.properties, "s3.endpoint": proxy.address}
    store = open_store(s3.url, properties=properties, tmp_dir=tmp_path, options=IMPATIENT)
    proxy.fault, proxy.matching = "hang", "partNumber=2"
    with pytest.raises(TransientError, match="no answer in time"):
        upload(store, PARTS)
    assert direct.size("new") is None


def test_nobody_listens(s3: S3, tmp_path: Path):
    with faulty(s3.service.address) as gone:
        properties = {**s3.properties, "s3.endpoint": gone.address}
    store = open_store(s3.url, properties=properties, tmp_dir=tmp_path, options=QUICK)
    with pytest.raises(TransientError, match="no connection to the server"):
        store.read("there")
