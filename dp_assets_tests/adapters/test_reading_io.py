"""Reading without PyArrow."""

from io import UnsupportedOperation
from pathlib import Path

import pytest
from pyiceberg.io import FileIO, InputFile, OutputFile

from dp_assets.adapters.reading_io import LocalInput, ReadingIO


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
def test_local_files_are_read_in_every_spelling(tmp_path, prefix):
    (tmp_path / "a%20b c.avro").write_bytes(b"content")
    found = ReadingIO().new_input(f"{prefix}{tmp_path}/a%20b c.avro")
    assert found.exists()
    assert len(found) == 7
    with found.open() as stream:
        assert stream.read() == b"content"


def test_a_missing_file_is_missing(tmp_path):
    found = ReadingIO().new_input(str(tmp_path / "none"))
    assert not found.exists()
    with pytest.raises(FileNotFoundError):
        found.open()


def test_nothing_is_written_or_deleted(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"1")
    with pytest.raises(UnsupportedOperation):
        ReadingIO().new_output(str(file))
    with pytest.raises(UnsupportedOperation):
        ReadingIO().delete(str(file))
    assert file.read_bytes() == b"1"


class Elsewhere(FileIO):
    """What a catalog's property py-io-impl may name."""

    def new_input(self, location: str) -> InputFile:
        return LocalInput(f"found {location}", path=Path("none"))

    def new_output(self, location: str) -> OutputFile:
        raise NotImplementedError

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise NotImplementedError


def test_other_schemes_go_to_the_catalogs_file_io():
    found = ReadingIO({"py-io-impl": f"{__name__}.Elsewhere"}).new_input("s3://bucket/key")
    assert found.location == "found s3://bucket/key"
