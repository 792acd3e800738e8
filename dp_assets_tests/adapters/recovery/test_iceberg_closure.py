"""The closure of real tables, against the simplest reader and with files lost and spoiled."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.ports.closure import ParsedFiles, TableClosure, one_spelling
from dp_assets.ports.recovery import FileKind, History
from dp_assets_tests.adapters.plain_iceberg import (
    live_entries,
    manifests_of,
    metadata_of,
    reached,
    statistics_of,
)
from dp_assets_tests.adapters.recorded_files import RecordedFiles
from dp_assets_tests.zoo import TABLES, Zoo, unpack_zoo

LISTS = (FileKind.MANIFEST_LIST, FileKind.MANIFEST)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("closure"))


def closure_of(zoo: Zoo, name: str, history: History = History.ALL) -> TableClosure:
    return read_closure(zoo.files, zoo.table(name), history=history)


def paths(closure: TableClosure, *kinds: FileKind) -> list[str]:
    return [file.path for file in closure.files if not kinds or file.kind in kinds]


@pytest.mark.parametrize("name", TABLES)
def test_it_is_what_the_simplest_reader_finds(zoo, name):
    closure, metadata = closure_of(zoo, name), metadata_of(zoo.files, zoo.table(name))
    wanted = {zoo.table(name)}
    for snapshot in metadata.get("snapshots") or ():
        wanted |= reached(zoo.files, snapshot)
        wanted |= statistics_of(metadata, snapshot["snapshot-id"])
    assert paths(closure) == sorted(wanted)


@pytest.mark.parametrize("name", TABLES)
def test_every_file_is_there_and_as_long_as_it_says(zoo, name):
    for file in closure_of(zoo, name).files:
        stat = zoo.files.stat(file.path)
        assert stat is not None, file
        assert file.size in (None, stat.size), file


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        pytest.param(
            "v3_dv",
            {"metadata": 1, "manifest list": 6, "manifest": 11, "data": 6, "deletion vectors": 4},
            id="deletion-vectors",
        ),
        pytest.param(
            "equality",
            {"metadata": 1, "manifest list": 3, "manifest": 3, "data": 4, "equality deletes": 1},
            id="equality-deletes",
        ),
        pytest.param(
            "stats",
            {
                "metadata": 1,
                "manifest list": 2,
                "manifest": 2,
                "data": 4,
                "statistics": 2,
                "partition statistics": 1,
            },
            id="statistics",
        ),
        pytest.param("empty", {"metadata": 1}, id="no-snapshot"),
    ],
)
def test_it_has_files_of_every_kind(zoo, name, kinds):
    found = Counter(file.kind.value for file in closure_of(zoo, name).files)
    assert found == kinds


def test_files_whose_snapshot_is_gone_are_live(zoo):
    """apache/iceberg#14458: the snapshots that added them were expired."""
    closure, metadata = closure_of(zoo, "compacted"), metadata_of(zoo.files, zoo.table("compacted"))
    (snapshot,) = metadata["snapshots"]
    entries = live_entries(zoo.files, snapshot)
    old = {
        e["data_file"]["file_path"]
        for _, e in entries
        if e["snapshot_id"] != snapshot["snapshot-id"]
    }
    assert old
    assert old <= set(paths(closure))


@pytest.mark.parametrize("name", TABLES)
def test_nothing_is_read_twice_and_no_data(zoo, name):
    files = RecordedFiles(zoo.files)
    closure = read_closure(files, zoo.table(name), history=History.ALL)
    wanted = paths(closure, FileKind.METADATA, *LISTS)
    assert files.reads == dict.fromkeys(map(one_spelling, wanted), 1)


def test_what_was_read_before_is_not_read_again(zoo):
    known, files = ParsedFiles(), RecordedFiles(zoo.files)
    first = read_closure(files, zoo.table("v2_mor"), history=History.ALL, known=known)
    files.reads.clear()
    assert read_closure(files, zoo.table("v2_mor"), history=History.ALL, known=known) == first
    assert files.reads == {zoo.table("v2_mor"): 1}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("history", [History.REFS, History.CURRENT])
def test_a_shorter_history_keeps_what_it_says(zoo, name, history):
    closure, metadata = closure_of(zoo, name, history), metadata_of(zoo.files, zoo.table(name))
    head = metadata["current-snapshot-id"]
    wanted = (
        {head}
        if history is History.CURRENT
        else {head} | {ref["snapshot-id"] for ref in metadata["refs"].values()}
    )
    snapshots = [s for s in metadata.get("snapshots") or () if s["snapshot-id"] in wanted]
    assert [s.snapshot_id for s in closure.snapshots] == [s["snapshot-id"] for s in snapshots]
    files = {zoo.table(name)}
    for snapshot in snapshots:
        files |= reached(zoo.files, snapshot)
        files |= statistics_of(metadata, snapshot["snapshot-id"])
    assert set(paths(closure)) == files


@pytest.mark.parametrize(
    ("history", "refs"),
    [
        (History.ALL, {"main", "side", "before_evolution"}),
        (History.REFS, {"main", "side", "before_evolution"}),
        (History.CURRENT, {"main"}),
    ],
)
def test_refs_are_those_whose_snapshot_is_kept(zoo, history, refs):
    assert set(closure_of(zoo, "v2_mor", history).refs) == refs


@pytest.mark.parametrize("name", ["v2_mor", "v3_dv", "v1_plain", "equality", "compacted"])
def test_what_a_lost_file_breaks(zoo, name):
    closure, metadata = closure_of(zoo, name), metadata_of(zoo.files, zoo.table(name))
    needs = {s["snapshot-id"]: reached(zoo.files, s) for s in metadata["snapshots"]}
    for path in paths(closure):
        wanted = tuple(i for i, all_ in needs.items() if path in all_)
        assert closure.snapshots_of(path) == (wanted or tuple(needs)), path
    assert closure.snapshots_of("/elsewhere") == ()


def test_statistics_belong_to_their_snapshot(zoo):
    closure = closure_of(zoo, "stats")
    (path,) = paths(closure, FileKind.PARTITION_STATISTICS)
    assert closure.snapshots_of(path) == (5556668890141352341,)


@pytest.mark.parametrize("name", ["v1_plain", "v2_mor", "v3_dv"])
def test_nothing_is_left_to_the_manifest_list(zoo, name):
    closure, metadata = closure_of(zoo, name), metadata_of(zoo.files, zoo.table(name))
    for kept, snapshot in zip(closure.snapshots, metadata["snapshots"], strict=True):
        found = [entry for use in kept.manifests for entry in closure.entries(use)]
        plain = live_entries(zoo.files, snapshot)
        assert len(found) == len(plain)
        for entry, (line, raw) in zip(found, plain, strict=True):
            number = raw.get("sequence_number")
            inherited = line.get("sequence_number") or 0
            assert entry.sequence_number == (inherited if number is None else number)
            added_by = raw["snapshot_id"]
            assert entry.snapshot_id == (
                line["added_snapshot_id"] if added_by is None else added_by
            )


def test_row_ids_follow_one_another(zoo):
    closure = closure_of(zoo, "v3_dv")
    (head,) = (s for s in closure.snapshots if s.snapshot_id == closure.head)
    rows = sorted(
        (entry.first_row_id, entry.records)
        for use in head.manifests
        for entry in closure.entries(use)
        if entry.kind is FileKind.DATA
    )
    assert rows == [(0, 43), (43, 57), (100, 56), (156, 44), (200, 7), (207, 9)]
    assert closure.metadata["next-row-id"] == 216


def test_partitions_are_their_stored_values(zoo):
    found = {f.partition for f in closure_of(zoo, "types").files if f.kind is FileKind.DATA}
    uuid, decimal = "123e4567e89b12d3a456426614174000", "000000000000000000"
    start = f'{{"u":"{uuid}","d":"{decimal}","tz_hour":70389527,"b_trunc":"ff00","f":'
    assert {f'{start}"nan"}}', f"{start}-0.0}}"} <= found
    assert {f.partition for f in closure_of(zoo, "v1_plain").files} == {""}


def test_paths_stay_as_spelled_and_count_once(zoo):
    """The table names its files ``file:/...``; one list is named in yet another way."""
    pointer = zoo.table("outside")
    metadata = metadata_of(zoo.files, pointer)
    spelled = metadata["snapshots"][0]["manifest-list"]
    other = f"file://{one_spelling(spelled)}"
    metadata["snapshots"].append({**metadata["snapshots"][0], "manifest-list": other})
    files = RecordedFiles(zoo.files, replaced={pointer: json.dumps(metadata).encode()})
    closure = read_closure(files, pointer, history=History.ALL)
    assert closure.files == closure_of(zoo, "outside").files
    assert spelled in paths(closure)
    assert other not in paths(closure)
    assert closure.snapshots_of(other) == closure.snapshots_of(spelled)
    assert files.reads[one_spelling(spelled)] == 1


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("file:/a/b%20c", "/a/b%20c"),
        ("file:///a/b", "/a/b"),
        ("/a/b", "/a/b"),
        ("s3a://b/file:/k", "s3://b/file:/k"),
        ("s3n://b/k", "s3://b/k"),
        ("s3://b/k", "s3://b/k"),
    ],
)
def test_one_file_has_one_spelling(location, name):
    assert one_spelling(location) == name


def test_packed_metadata_with_unknown_fields_is_read(zoo):
    pointer = zoo.table("v2_mor")
    metadata = metadata_of(zoo.files, pointer)
    metadata["new-in-version-9"] = {"a": 1}
    metadata["snapshots"][0]["also-new"] = True
    content = gzip.compress(json.dumps(metadata).encode())
    files = RecordedFiles(zoo.files, replaced={pointer: content})
    closure = read_closure(files, pointer, history=History.ALL)
    assert closure.files == closure_of(zoo, "v2_mor").files
    assert closure.metadata == metadata


def test_a_version_1_snapshot_may_name_its_manifests_itself(zoo):
    pointer = zoo.table("v1_plain")
    metadata = metadata_of(zoo.files, pointer)
    for snapshot in metadata["snapshots"]:
        lines = manifests_of(zoo.files, snapshot)
        snapshot["manifests"] = [line["manifest_path"] for line in lines]
        del snapshot["manifest-list"]
    files = RecordedFiles(zoo.files, replaced={pointer: json.dumps(metadata).encode()})
    found, whole = read_closure(files, pointer, history=History.ALL), closure_of(zoo, "v1_plain")
    kinds = (FileKind.METADATA, FileKind.MANIFEST, FileKind.DATA)
    assert paths(found) == paths(whole, *kinds)
    for file in (f for f in found.files if f.kind is FileKind.DATA):
        assert (file.sequence_number, file.spec_id) == (0, 0)
        assert found.snapshots_of(file.path) == whole.snapshots_of(file.path)


def test_the_table_describes_itself(zoo):
    closure = closure_of(zoo, "v1_plain")
    assert (closure.format_version, Path(closure.location).name) == (1, "v1_plain")
    assert [field["name"] for field in closure.schema["fields"]] == ["id", "name", "v"]
    assert len(closure.uuid) == 36
