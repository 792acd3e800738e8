"""The stream that PyIceberg writes local files through. That it syncs is proved by a trace."""

from pathlib import Path

import pytest
from pyiceberg.io.pyarrow import PyArrowFile

from dp_assets.adapters.durable_io import DurableFileIO, DurableStream

IO = DurableFileIO({})


@pytest.mark.parametrize("scheme", ["", "file:", "file://"])
def test_writes_and_reads_a_local_file_in_new_folders(tmp_path: Path, scheme: str):
    path = tmp_path / "new" / "a=1%2F2" / "rows.bin"
    output = IO.new_output(f"{scheme}{path}")
    assert not output.exists()
    with output.create() as stream:
        stream.write(b"abc")
        stream.write(b"d")
    assert path.read_bytes() == b"abcd"
    assert (output.exists(), len(output)) == (True, 4)
    assert output.to_input_file().open().read() == b"abcd"


def test_a_file_is_never_overwritten_by_accident(tmp_path: Path):
    path = tmp_path / "rows.bin"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        IO.new_output(str(path)).create()
    with IO.new_output(str(path)).create(overwrite=True) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"


def test_closing_twice_is_closing_once(tmp_path: Path):
    stream = DurableStream(tmp_path / "rows.bin", overwrite=False)
    stream.close()
    stream.close()
    assert stream.closed


def test_an_object_store_is_left_to_pyiceberg():
    output = DurableFileIO({"s3.region": "us-east-1"}).new_output("s3://bucket/rows.bin")
    assert isinstance(output, PyArrowFile)
