"""Examining metadata files of a real table."""

import gzip
import json
from pathlib import Path

import pytest

from dp_assets.adapters.doctor.doctor_metadata import (
    examine_metadata,
    lost_snapshots,
    metadata_files,
)
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.adapters.ordinary_user import as_ordinary_user, open_folder

IO = ReadingIO({})


@pytest.fixture
def settings(tmp_path: Path):
    return real.make_lakehouse(tmp_path)


def test_a_good_file_is_described(settings):
    pointer = real.pointer_of(settings)
    raw = json.loads(real.local(pointer).read_bytes())
    found = examine_metadata(IO, pointer)
    assert (found.is_readable, found.is_usable, found.is_reachable) == (True, True, True)
    assert found.uuid == raw["table-uuid"]
    assert found.table_location == raw["location"]
    assert found.head_id == raw["current-snapshot-id"]
    assert found.last_updated_ms == raw["last-updated-ms"]
    assert sorted(found.snapshot_rows.values()) == [10, 20, 30]
    assert len(found.log) == 3
    assert found.is_adopted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "is missing", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\0" * 4096, "is damaged", id="zeros"),
        pytest.param(b'{"format-version": 2, "sch', "is damaged", id="cut"),
        pytest.param(gzip.compress(b'{"format-version": 2}')[:-9], "is damaged", id="cut-gzip"),
        pytest.param(b"\x1f\x8b\x08\x00" + b"\xff" * 99, "is damaged", id="bad-gzip"),
        pytest.param(b"[" * 100_000, "is damaged", id="nested-without-end"),
        pytest.param(b"[]", "not Iceberg table metadata", id="another-json"),
        pytest.param(b'{"format-version": 2}', "no schema", id="hollow"),
        pytest.param(b'{"format-version": 2, "schemas": [{}]}', "is damaged", id="half"),
        pytest.param(b'{"format-version": 2, "snapshots": [7]}', "is damaged", id="wrong-types"),
        pytest.param(
            b'{"format-version": 2, "current-snapshot-id": 7}', "lacks its head", id="no-head"
        ),
    ],
)
def test_damage_is_described_and_never_raised(settings, content, said):
    pointer = real.pointer_of(settings)
    file = real.local(pointer)
    file.unlink() if content is None else file.write_bytes(content)
    found = examine_metadata(IO, pointer)
    assert said in found.problem
    assert pointer in found.problem
    assert found.is_reachable


def test_a_store_that_nothing_here_reads_is_no_damage():
    assert not examine_metadata(IO, "nosuch://b/t/1.metadata.json").is_reachable


def test_a_refusal_is_no_damage():
    with open_folder() as folder:
        file = folder / "00001-a.metadata.json"
        file.write_text("{}")
        file.chmod(0o000)
        found = as_ordinary_user("metadata", file)
    assert not found["is_reachable"]
    assert "Permission denied" in found["problem"]


@pytest.mark.parametrize(("content", "said"), [(None, "is missing"), (b"", "is empty")])
def test_a_head_without_manifest_list_is_readable_but_not_usable(settings, content, said):
    pointer = real.pointer_of(settings)
    raw = json.loads(real.local(pointer).read_bytes())
    manifests = real.local(raw["snapshots"][-1]["manifest-list"])
    manifests.unlink() if content is None else manifests.write_bytes(content)
    found = examine_metadata(IO, pointer)
    assert (found.is_readable, found.is_usable) == (True, False)
    assert manifests.name in found.list_problem
    assert said in found.list_problem


def test_the_files_beside_a_pointer_are_spelled_like_it(settings):
    pointer = real.pointer_of(settings)
    found = metadata_files(pointer)
    assert len(found) == 4
    assert found[-1] == pointer
    assert metadata_files("s3://bucket/t/metadata/00001-a.metadata.json") == ()
    assert metadata_files("") == ()


def test_lost_snapshots_are_those_that_build_on_the_head(settings):
    pointer = real.pointer_of(settings)
    first, second, third = [
        s["snapshot-id"] for s in json.loads(real.local(pointer).read_bytes())["snapshots"]
    ]
    created, one, two, _ = [examine_metadata(IO, name) for name in metadata_files(pointer)]
    folder = pointer.rpartition("/")[0]

    def lost(target):
        found = lost_snapshots(IO, target, folder=folder)
        return [(s.snapshot_id, s.added_rows, s.deleted_rows) for s in found]

    assert lost(two) == [(third, 10, 0)]
    assert lost(one) == [(second, 10, 0), (third, 10, 0)]
    assert lost(created) == [(first, 10, 0), (second, 10, 0), (third, 10, 0)]
    next(real.local(folder).glob(f"snap-{second}-*.avro")).write_bytes(b"Obj\x01 cut")
    assert lost(one) == []
