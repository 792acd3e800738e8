"""One file, many spellings."""

from pathlib import Path

import pytest

from dp_assets.adapters.maintenance.file_identity import can_be_reached, file_identity


@pytest.mark.parametrize(
    "spelling",
    [
        "{}/t/data/a b.parquet",
        "file:{}/t/data/a b.parquet",
        "file://{}/t/data/a b.parquet",
        "file://{}/t//data/a b.parquet",
        "file://{}/t/x/../data/a b.parquet",
        "file://{}/t/data/a%20b.parquet",
        "file://{}/link/data/a b.parquet",
        "{}/t/data/linked",
    ],
)
def test_a_local_file_however_it_is_spelled(tmp_path: Path, spelling: str):
    (tmp_path / "t" / "data").mkdir(parents=True)
    (tmp_path / "t" / "x").mkdir()
    (tmp_path / "t" / "data" / "a b.parquet").touch()
    (tmp_path / "link").symlink_to(tmp_path / "t")
    (tmp_path / "t" / "data" / "linked").symlink_to(tmp_path / "t" / "data" / "a b.parquet")
    key = file_identity()
    assert key(spelling.format(tmp_path)) == key(f"{tmp_path}/t/data/a b.parquet")


@pytest.mark.parametrize(
    "spelling", ["s3a://lake/t/a=1/f", "s3n://Lake/t/a=1/f", "s3://lake//t/x/../a%3D1/f"]
)
def test_an_object_however_it_is_spelled(spelling: str):
    key = file_identity()
    assert key(spelling) == key("s3://lake/t/a=1/f")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/lake/a", "/lake/b"),
        ("/lake/a", "s3://lake/a"),
        ("s3://lake/a", "s3://other/a"),
        ("s3://lake/a", "s3://lake/A"),
        ("/lake/a", "/lake/A"),
    ],
)
def test_other_files_are_others(first: str, second: str):
    key = file_identity()
    assert key(first) != key(second)


def test_what_cannot_be_reached_is_known():
    assert can_be_reached("/x")
    assert can_be_reached("file:/x")
    assert can_be_reached("s3a://lake/x")
    assert not can_be_reached("hdfs://lake/x")
