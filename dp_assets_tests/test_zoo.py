"""The zoo's paths lead to its unpacked files, in every spelling, and nowhere else."""

from pathlib import Path

import pytest

from dp_assets_tests.zoo import POINTERS, PREFIX, TABLES, MappedFiles, expected_rows, unpack_zoo


@pytest.mark.parametrize("spelling", ["", "file:", "file://"])
def test_every_pointer_is_mapped_into_the_folder(tmp_path, spelling):
    zoo = unpack_zoo(tmp_path)
    for name in TABLES:
        location = spelling + zoo.table(name)
        path = zoo.path(location)
        assert path.is_relative_to(tmp_path)
        assert zoo.files.read(location) == path.read_bytes()


def test_other_paths_stay(tmp_path):
    files = MappedFiles(PREFIX, tmp_path)
    for location in (f"{PREFIX}x/a", str(tmp_path / "a")):
        assert files.real(location) == location


def test_what_is_written_and_deleted_is_mapped_too(tmp_path):
    files, location = MappedFiles(PREFIX, tmp_path), f"{PREFIX}/src/new"
    with files.create(location) as out:
        out.write(b"abc")
        out.commit()
    assert (tmp_path / "src" / "new").read_bytes() == b"abc"
    stat = files.stat(location)
    assert stat is not None
    assert stat.size == 3
    files.delete(location)
    assert not (tmp_path / "src" / "new").exists()
    assert not Path(location).exists()


def test_every_table_is_known():
    assert len(POINTERS) == 9
    assert expected_rows("types") == {1213487798494812854: 20, 3453618909090770973: 18}
    assert expected_rows("empty") == {}
