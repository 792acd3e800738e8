"""Which rows of which input are deleted: by path and number, read from the delete files."""

from pathlib import Path

import pytest
from pyroaring import BitMap64

from dp_assets.adapters.maintenance.applied_deletes import applied_deletes
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.errors import PermanentError
from dp_assets.ports.compaction import DeleteFile, Group, InputFile
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.adapters.delete_files import parquet_deletes, puffin, vector


def data(path: str, sequence_number: int) -> InputFile:
    return InputFile(path, 1, 100, sequence_number, sequence_number, None, "/m")


def delete(path: Path, sequence_number: int, kind: FileKind = FileKind.POSITION_DELETES):
    return DeleteFile(str(path), kind, sequence_number, "/m", "PARQUET", 1, 1)


def group(*deletes: DeleteFile) -> Group:
    return Group(0, "", (data("/old", 1), data("/same", 3), data("/new", 4)), deletes, 1)


def test_only_what_is_not_younger_loses_rows(tmp_path: Path):
    pairs = [("/old", 1), ("/new", 2), ("/same", 3), ("/same", 9), ("/other", 4), ("/SAME", 5)]
    (tmp_path / "d").write_bytes(parquet_deletes(pairs))
    found = applied_deletes(LocalLakeFiles(), group(delete(tmp_path / "d", 3)))
    assert found == {"/old": BitMap64([1]), "/same": BitMap64([3, 9])}


def test_several_delete_files_add_up(tmp_path: Path):
    for name, rows in (("a", [1, 2]), ("b", [2, 3])):
        (tmp_path / name).write_bytes(parquet_deletes([("/old", row) for row in rows]))
    both = group(delete(tmp_path / "a", 2), delete(tmp_path / "b", 5))
    assert applied_deletes(LocalLakeFiles(), both) == {"/old": BitMap64([1, 2, 3])}


def vector_of(path: Path, referenced: str, offset: int, blob: bytes, rows: int) -> DeleteFile:
    kind = FileKind.DELETION_VECTORS
    about = {"referenced": referenced, "offset": offset, "length": len(blob)}
    return DeleteFile(str(path), kind, 3, "/m", "PUFFIN", 1, rows, **about)


def test_a_vector_takes_the_place_of_position_deletes_of_its_file(tmp_path: Path):
    """Those that it does not repeat as well; of an input that is younger it is none."""
    (tmp_path / "d").write_bytes(parquet_deletes([("/old", 1), ("/same", 2)]))
    old, new = vector([4, 5]), vector([6])
    content, offsets = puffin({"/old": old, "/new": new})
    (tmp_path / "v").write_bytes(content)
    found = applied_deletes(
        LocalLakeFiles(),
        group(
            delete(tmp_path / "d", 3),
            vector_of(tmp_path / "v", "/old", offsets[0], old, 2),
            vector_of(tmp_path / "v", "/new", offsets[1], new, 1),
        ),
    )
    assert found == {"/old": BitMap64([4, 5]), "/same": BitMap64([2])}


def test_damage_is_an_error(tmp_path: Path):
    (tmp_path / "d").write_bytes(b"no parquet")
    blob = vector([1])
    (tmp_path / "v").write_bytes(puffin({"/old": blob})[0])
    for bad in (
        delete(tmp_path / "d", 5),
        vector_of(tmp_path / "v", "/old", 4, blob, 2),
        vector_of(tmp_path / "d", "/old", 4, blob, 1),
    ):
        with pytest.raises(PermanentError, match="damaged"):
            applied_deletes(LocalLakeFiles(), group(bad))
    with pytest.raises(PermanentError):
        applied_deletes(LocalLakeFiles(), group(delete(tmp_path / "gone", 5)))
