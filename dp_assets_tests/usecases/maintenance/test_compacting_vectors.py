"""A table with deletion vectors, a tag and a branch, written to between plan and commit."""

import json
import struct
from collections.abc import Generator
from pathlib import Path

import pyarrow as pa
import pytest

from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.domains.maintenance.heads import Placed, head_of
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.maintenance.rewriting import rewritten
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.maintenance.compacting import FILES, around, closure_of, commit
from dp_assets_tests.usecases.maintenance.moved_zoo import Moved, lineage, moved
from dp_assets_tests.usecases.maintenance.vector_writer import delete_by_vector

NAME = "v3_dv"


@pytest.fixture
def table(tmp_path: Path) -> Generator[Moved, None, None]:
    with Lake(tmp_path) as made:
        made.catalog.create_namespace("zoo")
        yield moved(made, NAME)


def vectors(table: Moved) -> list[Placed]:
    return list(head_of(closure_of(table.pointer)).deletes)


def delete_a_row(table: Moved) -> str:
    """Of a data file that has a vector, whose path is returned."""
    entry = vectors(table)[0].entry
    place = Place(entry.offset, entry.length, entry.records)
    rows = read_vectors(FILES, entry.path, places=[place])[place].positions
    free = next(row for row in range(1000) if row not in rows)
    delete_by_vector(table.lake.catalog, table.table, entry.referenced, free)
    return entry.referenced


def test_a_vector_that_landed_after_the_plan_holds(table: Moved):
    """Its group is dropped, the others are committed; both readers miss the row, old ones do not.

    A schema change lands as well, and neither tag nor branch moves.
    """
    before, rows = table.readings(), lineage(table)
    planned = rewritten(table.pointer, table.lake.folder, name=f"zoo.{NAME}")
    path = delete_a_row(table)
    add_a_column(table)
    done = commit(around(table.lake.catalog), planned.plan, list(planned.groups))
    [dropped] = done.dropped
    inputs = {file.path for file in dropped.rewritten.group.inputs}
    assert "deletion vector" in dropped.reason
    assert path in inputs
    assert done.groups
    assert {one.entry.referenced for one in vectors(table)} <= inputs
    left = lineage(table)
    assert len(left) == len(rows) - 1
    assert set(left) < set(rows)
    for one, other in zip(before, table.readings(), strict=True):
        assert int(other["current"].partition(":")[0]) == len(rows) - 1
        older = {key: said for key, said in one.items() if key not in ("current", "ref main")}
        assert {key: other[key] for key in older} == older


def add_a_column(table: Moved) -> None:
    """As another engine does: a new metadata file, the pointer moved."""
    raw, old = table.raw, table.pointer
    schema = json.loads(json.dumps(raw["schemas"][-1]))
    schema["schema-id"] += 1
    number = raw["last-column-id"] + 1
    schema["fields"].append({"id": number, "name": "more", "type": "int", "required": False})
    raw["schemas"].append(schema)
    raw |= {"last-column-id": number, "current-schema-id": schema["schema-id"]}
    new = Path(old).with_name("00077-other.metadata.json")
    new.write_text(json.dumps(raw))
    table.lake.catalog.drop_table(table.table.identifier)
    table.lake.catalog.register_table(table.table.identifier, str(new))


def test_the_next_plan_takes_the_newer_vector(table: Moved):
    path = delete_a_row(table)
    rows = lineage(table)
    planned = rewritten(table.pointer, table.lake.folder, name=f"zoo.{NAME}")
    assert path in {file.path for one in planned.groups for file in one.group.inputs}
    done = commit(around(table.lake.catalog), planned.plan, list(planned.groups))
    assert (done.dropped, vectors(table)) == ((), [])
    assert lineage(table) == rows


def test_vectors_of_files_with_a_compressed_footer_are_applied_and_proven(table: Moved):
    rows = lineage(table)
    paths = {one.entry.path for one in vectors(table)}
    for path in paths:
        compress_footer(Path(one_spelling(path)))
    planned = rewritten(table.pointer, table.lake.folder, name=f"zoo.{NAME}")
    done = commit(around(table.lake.catalog), planned.plan, list(planned.groups))
    assert (len(paths) > 0, done.dropped, vectors(table)) == (True, (), [])
    assert lineage(table) == rows


def compress_footer(path: Path) -> None:
    """As the specification allows it, blobs where they were; no known engine does."""
    content = path.read_bytes()
    (size,) = struct.unpack("<i", content[-12:-8])
    payload = pa.compress(content[-12 - size : -12], codec="lz4", asbytes=True)
    end = struct.pack("<i4B", len(payload), 1, 0, 0, 0) + b"PFA1"
    path.write_bytes(content[: -12 - size] + payload + end)
