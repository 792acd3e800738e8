"""What only a bucket can meet: rights, keys, options of writing, memory, addresses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.objects.s3_reader import S3Reader
from dp_assets.adapters.objects.s3_settings import S3Options, bucket_and_key
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.ports.object_store import ObjectStore
from dp_assets_tests.services import S3

MIB = 1 << 20
UPLOADER = """
import json, resource, sys
from pathlib import Path
from dp_assets.adapters.objects.object_stores import open_store
store = open_store(sys.argv[1], properties=json.load(sys.stdin), tmp_dir=Path(sys.argv[2]))
store.put("warm", b"x")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with store.upload() as upload:
    for _ in range(400):
        upload.write(b"x" * (1 << 20))
    upload.commit("large")
with store.open("large") as reader:
    while reader.read(1 << 20):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def opened(s3: S3, who: str, tmp_path: Path, *, url: str = "", **options: str) -> ObjectStore:
    return open_store(
        url or s3.url,
        properties=s3.properties_of(who),
        tmp_dir=tmp_path / "tmp",
        options=S3Options(**options),
    )


def test_a_reader_reads_and_is_told_what_it_may_not(s3: S3, tmp_path: Path):
    opened(s3, "writer", tmp_path).put("k", b"x")
    reader = opened(s3, "reader", tmp_path)
    assert (reader.read("k"), [info.key for info in reader.list("")]) == (b"x", ["k"])
    for act in (
        lambda: reader.create("n", b""),
        lambda: reader.put("k", b"y"),
        lambda: reader.delete(["k"]),
    ):
        with pytest.raises(PermanentError, match=rf"{s3.prefix}/[kn]: access denied"):
            act()
    assert reader.read("k") == b"x"


def test_a_writer_that_cannot_delete_is_enough_to_write(s3: S3, tmp_path: Path):
    store = opened(s3, "writer", tmp_path, url=s3.keeping_url)
    assert store.create("a", b"1")
    store.put("a", b"2")
    with store.upload() as upload:
        upload.write(b"x" * (33 * MIB))
        upload.commit("b")
    with pytest.raises(PermanentError, match=r"delete s3://keeping/.*/a: access denied"):
        store.delete(["a", "b"])
    assert [(info.key, info.size) for info in store.list("")] == [("a", 1), ("b", 33 * MIB)]


@pytest.mark.parametrize("mib", [1, 33])
def test_storage_class_and_encryption_are_set_on_every_object(s3: S3, tmp_path: Path, mib: int):
    store = opened(
        s3, "writer", tmp_path, storage_class="STANDARD_IA", server_side_encryption="AES256"
    )
    with store.upload() as upload:
        upload.write(b"x" * (mib * MIB))
        upload.commit("up")
    store.put("put", b"x")
    store.create("create", b"x")
    for key in ("up", "put", "create"):
        headers = s3.ask("HEAD", key).headers
        assert headers["x-amz-storage-class"] == "STANDARD_IA"
        assert headers["x-amz-server-side-encryption"] == "AES256"
    assert store.read("up") == b"x" * (mib * MIB)


def test_without_options_the_bucket_decides(s3: S3, tmp_path: Path):
    opened(s3, "writer", tmp_path).put("k", b"x")
    assert "x-amz-server-side-encryption" not in s3.ask("HEAD", "k").headers


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"s3.secret-access-key": "wrong"}, "the keys are wrong .*SignatureDoesNotMatch"),
        ({"s3.access-key-id": "wrong"}, "the keys are wrong .*InvalidAccessKeyId"),
    ],
)
def test_wrong_keys_are_a_wrong_configuration(s3: S3, tmp_path: Path, wrong, words: str):
    store = open_store(s3.url, properties={**s3.properties, **wrong}, tmp_dir=tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        store.put("k", b"")


def test_given_keys_are_not_mixed_with_the_environment(s3: S3, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-somebody-else")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-somebody-else")
    opened(s3, "writer", tmp_path).put("k", b"x")
    assert opened(s3, "reader", tmp_path).read("k") == b"x"


def test_the_environment_stands_in(s3: S3, tmp_path: Path, monkeypatch):
    given = s3.properties
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["s3.access-key-id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["s3.secret-access-key"])
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    only_endpoint = {"s3.endpoint": given["s3.endpoint"]}
    open_store(s3.url, properties=only_endpoint, tmp_dir=tmp_path).put("k", b"x")
    assert opened(s3, "reader", tmp_path).read("k") == b"x"


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"s3.endpoint": "http://u:p@storage.example:9000"}, r"a user: storage\.example:9000"),
        ({"s3.access-key-id": "half"}, "one of s3.access-key-id and s3.secret"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, properties: dict[str, str], words: str):
    store = open_store("s3://bucket/x", properties=properties, tmp_dir=tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        store.read("k")


def test_prefixes_keep_stores_apart(s3: S3, tmp_path: Path):
    one = opened(s3, "admin", tmp_path, url=f"{s3.url}/a/")
    other = opened(s3, "admin", tmp_path, url=f"{s3.url}/ab")
    one.put("k", b"1")
    other.put("k", b"2")
    assert [info.key for info in one.list("")] == ["k"]
    assert (one.read("k"), one.address) == (b"1", f"{s3.url}/a")
    one.delete(["k"])
    assert other.read("k") == b"2"


def test_memory_does_not_grow_with_the_object(s3: S3, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", UPLOADER, s3.url, str(tmp_path)],
        input=json.dumps(s3.properties),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 160 * 1024  # KiB, for an object of 400 MiB


def test_addresses(tmp_path: Path):
    assert bucket_and_key("s3://b/a b%20?#x/") == ("b", "a b%20?#x/")
    assert bucket_and_key("s3a://b") == ("b", "")
    assert bucket_and_key("s3n://b/x") == ("b", "x")
    assert bucket_and_key("s3:/b/x") is None
    with pytest.raises(ConfigurationError, match="gs://b/x is no place for objects"):
        open_store("gs://b/x", properties={}, tmp_dir=tmp_path)


def test_a_stream_that_ends_early_is_no_whole_object():
    """A second line: the client itself notices an answer that is cut."""
    reader = S3Reader(iter([b"ab"]), size=3, where="s3://b/k")
    assert reader.read(10) == b"ab"
    with pytest.raises(TransientError, match="s3://b/k: it ends 1 bytes early"):
        reader.read(10)
