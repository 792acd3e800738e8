"""Lists and manifests of a commit keep what the specification does not know."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dp_assets.adapters.iceberg_avro import (
    container_bytes,
    entry_schema,
    list_schema,
    new_container,
    taking,
    taking_entry,
)
from dp_assets.adapters.recovery.avro_generic import open_container, records
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.orders import MONDAY, ORDERS, OTHER_RUN, Lake
from dp_assets_tests.adapters.table_checks import manifests, path_of
from dp_assets_tests.usecases.maintenance.compacting import compact
from dp_assets_tests.usecases.maintenance.things import DECLARED, NAME, Things, rows

Json = dict[str, Any]
UNKNOWN = {"name": "future", "type": "long", "field-id": 9999}
KEPT = 77


def read(path: Path) -> list[Json]:
    return list(records(path.read_bytes(), name=path.name))


def rewrite(path: Path, change: Callable[[Json, list[Json]], None]) -> int:
    """Write an Avro file anew with another schema; its size."""
    opened = open_container(path.read_bytes(), name=path.name)
    schema, found = json.loads(opened.metadata["avro.schema"]), list(opened.records())
    change(schema, found)
    written = new_container(schema, opened.metadata, name=path.name)
    path.write_bytes(container_bytes(written, found))
    return path.stat().st_size


def add_to_lines(schema: Json, lines: list[Json]) -> None:
    schema["fields"].append(UNKNOWN)
    for line in lines:
        line["future"] = KEPT


def add_to_files(schema: Json, entries: list[Json]) -> None:
    (file,) = (f for f in schema["fields"] if f["name"] == "data_file")
    file["type"]["fields"].append(UNKNOWN)
    for entry in entries:
        entry["data_file"]["future"] = KEPT


def list_of(lake: Lake, spec=ORDERS) -> Path:
    head = lake.table(spec).current_snapshot()
    assert head
    return path_of(head.manifest_list)


def test_a_write_keeps_unknown_fields_of_the_lines_it_carries(lake: Lake):
    lake.put(MONDAY, [1])
    lake.table().append(lake.table().scan().to_arrow())
    rewrite(list_of(lake), add_to_lines)
    lake.put("2013-02-04", [2], run=OTHER_RUN)  # of another partition
    assert sorted(line["future"] or 0 for line in read(list_of(lake))) == [0, KEPT, KEPT]


def test_a_compaction_keeps_unknown_fields_of_files_and_lines(lake: Lake):
    things = Things(lake).make()
    listing = list_of_things(things)
    sizes: dict[str, int] = {}
    for line in read(listing):
        path = line["manifest_path"]
        sizes[path] = rewrite(path_of(path), add_to_files)

    def change(schema: Json, lines: list[Json]) -> None:
        add_to_lines(schema, lines)
        for line in lines:
            line["manifest_length"] = sizes[line["manifest_path"]]

    rewrite(listing, change)
    things.table.append(rows("c", [21]))
    compact(lake.catalog, NAME)
    merged = [
        entry["data_file"]
        for line in read(list_of_things(things))
        for entry in read(path_of(line["manifest_path"]))
    ]
    old = [file for file in merged if "compacted" not in file["file_path"]]
    assert sorted(f.get("future", 0) for f in old) == [0, *[KEPT] * 6]
    ids = [row[1] for row in lake.rows_by_duckdb(DECLARED)]
    assert sorted(ids) == [*range(1, 7), *range(11, 17), 21]
    assert things.table.scan().to_arrow().num_rows == len(ids)


def list_of_things(things: Things) -> Path:
    head = things.table.current_snapshot()
    assert head
    return path_of(head.manifest_list)


def test_fields_are_taken_by_their_ids():
    source = {"fields": [{"name": "old_name", "type": "string", "field-id": 500}, UNKNOWN]}
    target = list_schema(2, source)
    taken = taking(source, target)({"old_name": "/m.avro", "future": 5})
    assert (taken["manifest_path"], taken["future"]) == ("/m.avro", 5)
    assert (taken["content"], taken["sequence_number"], taken["partitions"]) == (0, 0, None)
    assert "future" not in {f["name"] for f in list_schema(2)["fields"]}


@pytest.mark.parametrize(("version", "kept"), [(1, False), (2, True), (3, True)])
def test_what_a_version_knows(version: int, kept: bool):
    """``referenced_data_file`` may be in version 2; the block size only in version 1."""
    file = [
        {"name": "block_size_in_bytes", "type": "long", "field-id": 105},
        {
            "name": "partition",
            "type": {"type": "record", "name": "r", "fields": []},
            "field-id": 102,
        },
        {"name": "referenced", "type": ["null", "string"], "field-id": 143},
    ]
    inner = {"type": "record", "name": "r2", "fields": file}
    source = {"fields": [{"name": "data_file", "type": inner, "field-id": 2}]}
    take = taking_entry(source, entry_schema(version, source))
    said = {"block_size_in_bytes": 9, "partition": {}, "referenced": "/a"}
    taken = take({"data_file": said})["data_file"]
    assert [value for value in taken.values() if value == "/a"] == ["/a"] * kept
    assert [value for value in taken.values() if value == 9] == [9] * (version == 1)


def test_a_snapshot_without_a_list_is_refused(lake: Lake):
    things = Things(lake, 1).make()

    def change(raw: Json) -> None:
        del raw["snapshots"][-1]["manifest-list"]
        raw["snapshots"][-1]["manifests"] = [m.manifest_path for m in named]

    named = manifests(things.table)
    things.edit(change)
    pointer = things.pointer
    with pytest.raises(PermanentError, match="has no manifest list"):
        compact(lake.catalog, NAME)
    assert things.pointer == pointer
