"""What other writers put into manifests: fields of the future, other names, no row ids yet."""

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dp_assets.adapters.iceberg_avro import container_bytes, new_container, schema_of
from dp_assets.adapters.recovery.avro_generic import Record, open_container, records
from dp_assets.adapters.recovery.avro_generic import rewrite as rewrite_avro
from dp_assets.adapters.recovery.avro_shapes import ENTRY_FIELDS, FILE_FIELDS
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import manifests, path_of
from dp_assets_tests.usecases.maintenance.compacting import FILES
from dp_assets_tests.usecases.maintenance.manifest_rewrites import (
    check_lines,
    listed,
    planned,
    rewrite,
)
from dp_assets_tests.usecases.maintenance.things import Things, rows

Schema = dict[str, Any]
ALL = [*range(1, 7), *range(11, 17)]


@pytest.fixture
def things(tmp_path: Path) -> Generator[Things, None, None]:
    with Lake(tmp_path) as lake:
        yield Things(lake).make()


def spell(
    things: Things,
    numbers: range,
    *,
    schema: Callable[[str], str] = lambda text: text,
    entry: Callable[[Record], None] = lambda _: None,
    header: dict[str, str] | None = None,
) -> None:
    """Write manifests of the head, by their places in its list, as another writer would."""
    sizes: dict[str, int] = {}
    for line in [manifests(things.table)[n] for n in numbers]:
        path = path_of(line.manifest_path)
        old = open_container(path.read_bytes(), name=path.name)
        said = {k: v for k, v in old.metadata.items() if not k.startswith("avro.")}
        text = schema(json.dumps(schema_of(old)))
        new = new_container(json.loads(text), {**said, **(header or {})}, name=path.name)
        found = list(old.records())
        for one in found:
            entry(one)
        path.write_bytes(container_bytes(new, found))
        sizes[line.manifest_path] = path.stat().st_size

    def change(line: Record) -> None:
        line["manifest_length"] = sizes.get(line["manifest_path"], line["manifest_length"])

    for snapshot in things.table.snapshots():
        listing = path_of(snapshot.manifest_list)
        listing.write_bytes(rewrite_avro(listing.read_bytes(), change, name="list"))


def with_fields(text: str) -> str:
    """One more field in the entry, and one in its data file."""
    schema = json.loads(text)
    (file,) = (f["type"] for f in schema["fields"] if f["name"] == "data_file")
    schema["fields"].append(_field("seen", 9001, "long"))
    file["fields"].append(_field("owner", 9002, "string"))
    return json.dumps(schema)


def _field(name: str, field_id: int, kind: str) -> Schema:
    return {"name": name, "field-id": field_id, "type": ["null", kind], "default": None}


def say_more(entry: Record) -> None:
    entry["seen"] = 7
    entry["data_file"]["owner"] = entry["data_file"]["file_path"][-12:]


def read(things: Things) -> list[Record]:
    return [
        entry
        for line in manifests(things.table)
        for entry in records(FILES.read(line.manifest_path), name="manifest")
    ]


def test_a_field_of_the_future_survives(things: Things):
    things.table.append(rows("a", [7]))
    spell(things, range(4), schema=with_fields, entry=say_more, header={"future": "kept"})
    before = listed(things.pointer)
    plan = planned(things.lake.catalog)
    assert sorted(len(pile.manifests) for pile in plan.piles) == [3, 4]
    done = rewrite(things.lake)
    assert done.created == 2
    assert listed(things.pointer) == before
    found = read(things)
    assert [e.get("seen") for e in found].count(7) == 4
    owners = [(e["data_file"].get("owner"), e["data_file"]["file_path"][-12:]) for e in found]
    assert sum(owner == path for owner, path in owners) == 4
    headers = [
        open_container(FILES.read(m.manifest_path), name="m").metadata.get("future")
        for m in manifests(things.table)
    ]
    assert sorted(map(bool, headers)) == [False, True]
    assert things.ids() == [*range(1, 8), *range(11, 17)]
    assert planned(things.lake.catalog).is_empty


def test_what_newer_writers_say_of_deletes_is_kept(things: Things):
    """The one data file of a delete file: version 2 has it since, PyIceberg does not know it."""
    for number, part in ((3, "a"), (13, "b")):
        things.delete_positions(number, part=part)
    path = things.file_of(13)

    def with_reference(text: str) -> str:
        schema = json.loads(text)
        (file,) = (f["type"] for f in schema["fields"] if f["name"] == "data_file")
        file["fields"].append(_field("referenced_data_file", 143, "string"))
        return json.dumps(schema)

    def refer(entry: Record) -> None:
        entry["data_file"]["referenced_data_file"] = path

    spell(things, range(7, 8), schema=with_reference, entry=refer)
    before = listed(things.pointer)
    assert rewrite(things.lake).created == 2  # data, deletes
    assert listed(things.pointer) == before
    said = [entry["data_file"].get("referenced_data_file") for entry in read(things)]
    assert said.count(path) == 1
    assert things.ids() == [n for n in ALL if n not in (3, 13)]


def test_other_names_of_a_partition_are_the_same_partition(things: Things):
    def renamed(text: str) -> str:
        return text.replace('"name": "part"', '"name": "_part"').replace('"r102"', '"place"')

    def entry(record: Record) -> None:
        record["data_file"]["partition"] = {"_part": record["data_file"]["partition"]["part"]}

    spell(things, range(3), schema=renamed, entry=entry)
    before = listed(things.pointer)
    done = rewrite(things.lake)
    assert done.created == 1
    assert listed(things.pointer) == before
    assert check_lines(things.table, done.snapshot_id) == 1
    assert things.ids() == ALL


def test_rows_without_ids_get_them_once(things: Things):
    """Of a table that was upgraded to version 3; our commit is the first one since."""

    def upgraded(raw: dict[str, Any]) -> None:
        raw.update({"format-version": 3, "next-row-id": 0})

    things.edit(upgraded)
    before = listed(things.pointer)
    rewrite(things.lake)
    raw = things.raw
    head = raw["snapshots"][-1]
    assert (head["first-row-id"], head["added-rows"], raw["next-row-id"]) == (0, 12, 12)
    after = listed(things.pointer)
    ids = sorted(int(n) for said in after for n in re.findall(r"'first_row_id', (\d+)", said))
    assert ids == [0, 2, 4, 6, 8, 10]
    plain = [re.sub(r"\('first_row_id', \d+\), ", "", said) for said in after]
    assert sorted(plain) == sorted(before)
    rewrite(things.lake)  # nothing
    assert things.raw == raw


def test_partitions_that_are_null_are_said(things: Things):
    nothing = pa.table({"part": pa.nulls(1, pa.string()), "id": [7], "note": ["x"]})
    things.table.append(nothing)
    done = rewrite(things.lake)
    (line,) = manifests(things.table)
    assert line.partitions
    assert line.partitions[0].contains_null
    assert check_lines(things.table, done.snapshot_id) == 1


def test_the_known_fields_are_those_of_pyiceberg():
    from pyiceberg.manifest import DATA_FILE_TYPE, MANIFEST_ENTRY_SCHEMAS

    files = {f.field_id for kind in DATA_FILE_TYPE.values() for f in kind.fields}
    entries = {f.field_id for kind in MANIFEST_ENTRY_SCHEMAS.values() for f in kind.fields}
    assert (files, entries) == (FILE_FIELDS, ENTRY_FIELDS)
