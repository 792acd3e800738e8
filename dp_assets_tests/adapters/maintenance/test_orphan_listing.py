"""What is in a folder, on a disk and in a bucket."""

import os
import tracemalloc
from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.adapters.maintenance.orphan_listing import listing
from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.units import now_ms
from dp_assets_tests.adapters.faulty_s3 import FaultyS3, faulty
from dp_assets_tests.adapters.faulty_s3 import listing as page

NAMES = ("a", "day=1/a b%20c=ü.parquet", "day=1/.hidden", "x/y/z", "x-y")


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]]:
    if request.param == "disk":
        return f"file://{tmp_path}/lake", {}
    s3 = request.getfixturevalue("s3")
    return s3.url, s3.properties


def test_every_file_with_its_size_and_time(place: tuple[str, dict[str, str]], tmp_path: Path):
    url, properties = place
    files = CatalogFiles(properties, tmp_dir=tmp_path / "tmp")
    for number, name in enumerate((*NAMES, "../beside/a", "../t-other/a")):
        with files.create(f"{url}/t/{name}".replace("/t/../", "/")) as file:
            file.write(b"x" * number)
            file.commit()
    listed = list(listing(properties, tmp_dir=tmp_path)(f"{url}/t"))
    assert {f.path: f.size for f in listed} == {f"{url}/t/{n}": i for i, n in enumerate(NAMES)}
    assert all(abs(file.modified_ms - now_ms()) < 60_000 for file in listed)
    assert [files.stat(file.path).size for file in listed] == [file.size for file in listed]
    assert list(listing(properties, tmp_dir=tmp_path)(f"{url}/nothing")) == []


def test_what_is_no_file_is_left_out(tmp_path: Path):
    (tmp_path / "t" / "folder").mkdir(parents=True)
    (tmp_path / "t" / "file").touch()
    (tmp_path / "t" / "link").symlink_to(tmp_path / "t" / "file")
    (tmp_path / "t" / "round").symlink_to(tmp_path / "t")
    os.mkfifo(tmp_path / "t" / "pipe")
    (tmp_path / "way").symlink_to(tmp_path / "t")
    for folder in ("t", "way"):
        found = [file.path for file in listing({}, tmp_dir=tmp_path)(f"{tmp_path}/{folder}")]
        assert found == [f"{tmp_path}/{folder}/file"]


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not an empty one: the files in it would look as if they were gone."""
    (tmp_path / "closed").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermanentError, match="permission denied"):
        list(listing({}, tmp_dir=tmp_path)(str(tmp_path)))


def test_other_kinds_of_places_cannot_be_listed(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="hdfs"):
        list(listing({}, tmp_dir=tmp_path)("hdfs://name/t"))


@pytest.fixture
def double() -> Generator[FaultyS3]:
    """Answers listings by itself: no real server puts keys out of order."""
    with faulty("http://nobody.invalid") as running:
        yield running


def listed_by(double: FaultyS3, folder: Path, *pages: str) -> list[str]:
    """The names that the listing gives when the server answers with these pages."""
    answers = iter(pages)
    double.next_fault = lambda _request: next(answers, 503)
    properties = {
        "s3.endpoint": double.address,
        "s3.access-key-id": "key",
        "s3.secret-access-key": "secret",
        "s3.region": "us-east-1",
    }
    found = listing(properties, tmp_dir=folder)("s3://bucket/t")
    return [file.path.removeprefix("s3://bucket/t/") for file in found]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page("t/a", "t/c", "t/b")], id="in one page"),
        pytest.param([page("t/b", following="2"), page("t/a")], id="in a later page"),
        pytest.param([page("t/a", "t/b", following="2"), page("t/a", "t/b")], id="a page twice"),
        pytest.param([page("t/a", "t/a")], id="a key twice"),
    ],
)
def test_a_listing_out_of_order_is_not_trusted(double: FaultyS3, tmp_path: Path, pages: list[str]):
    """A page may be missing just as well, and with it the metadata file that names an orphan."""
    with pytest.raises(PermanentError, match=r"the listing of s3://bucket/t/ goes from 't/.' back"):
        listed_by(double, tmp_path, *pages)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a", "a-b", "a/b", "b"], id="by whole keys"),
        pytest.param(["a", "a/b", "a-b", "b"], id="folder by folder"),
    ],
)
def test_both_orders_of_servers_are_orders(double: FaultyS3, tmp_path: Path, names: list[str]):
    first, last = [f"t/{name}" for name in names[:2]], [f"t/{name}" for name in names[2:]]
    pages = page(*first, following="2"), page(*last)
    assert listed_by(double, tmp_path, *pages) == names


def test_it_is_not_held_in_memory(tmp_path: Path):
    for folder in range(20):
        (tmp_path / f"{folder}").mkdir()
        for number in range(100):
            (tmp_path / f"{folder}" / f"{number}").touch()
    tracemalloc.start()
    try:
        assert sum(1 for _ in listing({}, tmp_dir=tmp_path)(str(tmp_path))) == 2000
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
