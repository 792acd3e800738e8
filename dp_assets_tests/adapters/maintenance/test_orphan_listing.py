"""What is in a folder, on a disk and in a bucket."""

import os
import tracemalloc
from pathlib import Path

import pytest

from dp_assets.adapters.maintenance.orphan_listing import listing
from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.units import now_ms

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
