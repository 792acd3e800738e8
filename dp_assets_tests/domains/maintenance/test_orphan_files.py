"""What the names of files tell."""

import pytest

from dp_assets.domains.maintenance.orphan_files import (
    is_metadata,
    kind_of,
    metadata_version,
    sidecar,
    table_uuid,
)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("00005-5989b180-9263-47d7-868a-f6c5134dca29.metadata.json", 5),
        ("v12.metadata.json", 12),
        ("v12.gz.metadata.json", 12),
        ("00007-x.metadata.json.gz", 7),
        ("latest.metadata.json", None),
        ("5989b180-9263.metadata.json", None),
    ],
)
def test_metadata_files_are_numbered(name: str, version: int | None):
    assert is_metadata(f"/t/metadata/{name}")
    assert metadata_version(f"/t/metadata/{name}") == version


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("00001-x.metadata.json", "metadata"),
        ("snap-1-1-x.avro", "manifest list"),
        ("0a-m0.avro", "manifest"),
        ("part.parquet", "data"),
        (".part.parquet.crc", "checksum"),
        (".0123456789abcdef.tmp", "unfinished"),
        ("x.puffin", "file"),
    ],
)
def test_kinds(name: str, kind: str):
    assert kind_of(f"s3://lake/t/{name}") == kind


def test_a_checksum_belongs_to_a_file():
    assert sidecar("/t/.a.parquet.crc").of == "/t/a.parquet"
    assert sidecar("/t/a.parquet.crc") is None


def test_whose_metadata_it_is():
    assert table_uuid(b'{"format-version":2,"table-uuid" : "0a-1b","loc') == "0a-1b"
    assert table_uuid(b"\x1f\x8b\xff") == ""
