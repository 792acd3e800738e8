"""New files are all there, durable, or none is."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dp_assets.adapters.maintenance.new_files import NewFiles, data_folder, new_name
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.errors import TransientError
from dp_assets.ports.lake_files import NewFile
from dp_assets_tests.zoo import MappedFiles


class FewFiles(MappedFiles):
    """A bucket that goes away after one file."""

    def __init__(self, folder: Path) -> None:
        super().__init__("s3://b", folder)
        self.written = 0

    @contextmanager
    def create(self, location: str) -> Generator[NewFile, None, None]:
        if self.written:
            raise TransientError("gone", hint="")
        self.written += 1
        with super().create(location) as file:
            yield file


def test_what_was_sent_is_taken_back_when_the_rest_cannot_be(tmp_path: Path):
    files = FewFiles(tmp_path / "b")

    def keep_two() -> None:
        with NewFiles("s3://b/t", name="n", files=files, staging=tmp_path / "staging") as new:
            for number in range(2):
                new.path(number).write_bytes(b"x")
            new.keep([new.path(0), new.path(1)])

    with pytest.raises(TransientError):
        keep_two()
    assert files.written == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_only_files_of_its_own_are_deleted(tmp_path: Path):
    names = [new_name() for _ in range(2)]
    with NewFiles(
        f"file://{tmp_path}", name=names[0], files=LocalLakeFiles(), staging=tmp_path
    ) as new:
        new.path(0).write_bytes(b"x")
        (tmp_path / f"{names[1]}-0.parquet").write_bytes(b"y")
    assert [path.name for path in tmp_path.iterdir()] == [f"{names[1]}-0.parquet"]


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ("", "/t/data"),
        ("month=2013-01", "/t/data/month=2013-01"),
        ("month=2013-01, carrier=UA", "/t/data/month=2013-01/carrier=UA"),
        ("a=../../../x", "/t/data/a=..%2F..%2F..%2Fx"),
        ("a=x, ..", "/t/data/a=x%2C .."),
        ("a=" + "x" * 999, "/t/data/a=" + "x" * 198),
    ],
)
def test_the_partition_is_a_folder_for_people(words: str, folder: str):
    assert data_folder("/t", {}, words=words, name="n") == folder


def test_properties_say_where():
    assert data_folder("/t", {"write.data.path": "s3://b/x/"}, words="", name="n") == "s3://b/x"
    spread = {"write.object-storage.enabled": "true"}
    one, other = (data_folder("/t", spread, words="a=1", name=name) for name in ("n", "m"))
    assert one != other
    assert one.startswith("/t/data/")
    assert one.endswith("/a=1")
