"""One suite for the files of tables on disks and in buckets."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.adapters.objects.local_objects import LARGE_BYTES
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.object_store import MissingObjectError
from dp_assets_tests.services import S3

MIB = 1 << 20
# A name as engines write them: percent signs and spaces mean themselves.
NAME = "db/t/data/day=2013-01-01/a b%20c=ü.parquet"


@pytest.fixture(params=["disk", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "lake") if request.param == "disk" else request.getfixturevalue("s3").url


@pytest.fixture
def files(request: pytest.FixtureRequest, root: str, tmp_path: Path) -> LakeFiles:
    remote = root.startswith("s3:")
    properties = request.getfixturevalue("s3").properties if remote else {}
    return CatalogFiles(properties, tmp_dir=tmp_path / "tmp")


def write(files: LakeFiles, location: str, *content: bytes, replace: bool = False) -> None:
    with files.create(location) as file:
        for piece in content:
            file.write(piece)
        file.commit(replace=replace)


def whole(files: LakeFiles, location: str) -> bytes:
    with files.open(location) as reader:
        return b"".join(iter(lambda: reader.read(MIB), b""))


def spellings(location: str) -> Iterator[str]:
    if location.startswith("s3:"):
        for scheme in ("s3", "s3a", "s3n"):
            yield scheme + location.removeprefix("s3")
    else:
        for scheme in ("", "file:", "file://"):
            yield scheme + location


def test_a_file_is_the_same_in_every_spelling(files: LakeFiles, root: str):
    for number, location in enumerate(spellings(f"{root}/{NAME}")):
        write(files, location, b"x" * number, replace=True)
        for other in spellings(f"{root}/{NAME}"):
            assert files.read(other) == whole(files, other) == b"x" * number
            assert files.stat(other).size == number
            assert files.stat(other) == files.stat(location)


def test_what_is_not_there(files: LakeFiles, root: str):
    missing = f"{root}/no/such"
    assert files.stat(missing) is None
    with pytest.raises(MissingObjectError, match="no/such: it is not there"):
        files.read(missing)
    with pytest.raises(MissingObjectError, match="no/such"):
        whole(files, missing)
    files.delete(missing)


def test_a_folder_is_no_file(files: LakeFiles, root: str):
    write(files, f"{root}/a/b", b"x")
    assert files.stat(f"{root}/a") is None


@pytest.mark.parametrize("mib", [0, 1, 40])
def test_a_taken_location_is_kept_unless_told(files: LakeFiles, root: str, mib: int):
    location = f"{root}/t/x.parquet"
    write(files, location, b"old")
    new = [bytes([n]) * MIB for n in range(mib)]
    with pytest.raises(PermanentError, match=r"x\.parquet: there is a file already"):
        write(files, location, *new)
    assert files.read(location) == b"old"
    write(files, location, *new, replace=True)
    assert whole(files, location) == b"".join(new)


def test_without_commit_nothing_is_left(files: LakeFiles, root: str, tmp_path: Path):
    write(files, f"{root}/t/other", b"x")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with files.create(f"{root}/t/x") as file:
        for _ in range(40):
            file.write(b"x" * MIB)
    assert files.stat(f"{root}/t/x") is None
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_version_changes_with_the_content(files: LakeFiles, root: str):
    location = f"{root}/v"
    seen = set()
    for content in (b"1", b"2", b"33"):
        write(files, location, content, replace=True)
        seen.add(files.stat(location).version)
        assert files.stat(location).version in seen
    assert len(seen) == 3


def test_deleting(files: LakeFiles, root: str):
    for name in ("a", "b"):
        write(files, f"{root}/{name}", b"x")
    files.delete(f"{root}/a")
    assert (files.stat(f"{root}/a"), files.read(f"{root}/b")) == (None, b"x")


def test_many_threads_share_one(files: LakeFiles, root: str):
    def one(number: int) -> bytes:
        location = f"{root}/many/{number % 7}/{number}"
        write(files, location, str(number).encode())
        return whole(files, location)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(one, range(200))) == [str(n).encode() for n in range(200)]


@pytest.mark.parametrize("location", ["gs://bucket/x", "hdfs://host/x", "s3://"])
def test_other_schemes_are_refused(tmp_path: Path, location: str):
    with pytest.raises(ConfigurationError, match="cannot be reached"):
        CatalogFiles({}, tmp_dir=tmp_path).stat(location)


def test_a_key_that_the_client_cannot_address_says_so(s3: S3, tmp_path: Path):
    files = CatalogFiles(s3.properties, tmp_dir=tmp_path)
    with pytest.raises(PermanentError, match="cannot be addressed"):
        files.read(f"{s3.url}//x")


def test_a_symbolic_link_on_the_way_is_followed(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    files = CatalogFiles({}, tmp_dir=tmp_path)
    write(files, f"{tmp_path}/link/x", b"1")
    assert (tmp_path / "real/x").read_bytes() == b"1"
    assert files.read(f"file:{tmp_path}/link/x") == b"1"


def test_a_folder_that_vanishes_while_a_file_is_written(tmp_path: Path):
    files = CatalogFiles({}, tmp_dir=tmp_path)
    with files.create(f"{tmp_path}/t/x") as file:
        file.write(bytes(LARGE_BYTES))
        (tmp_path / "t").rename(tmp_path / "gone")
        with pytest.raises(TransientError, match="was removed meanwhile"):
            file.commit()
    assert not (tmp_path / "t").exists()
