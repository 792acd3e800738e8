"""Rewrites of manifests, a table that has very many of them, and what the head of one lists.

The latter is read with no code that the rewrite uses.
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFile,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    construct_partition_summaries,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.table import Table

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot, head_id, read_metadata
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.manifest_piles import ManifestRule
from dp_assets.domains.maintenance.manifest_plan import ManifestPlan, plan_manifests
from dp_assets.ports.closure import one_spelling
from dp_assets.usecases.maintenance.manifest_attempts import RewriteAttempts, Rewritten
from dp_assets_tests.adapters.orders import Lake, nothing
from dp_assets_tests.adapters.table_checks import check_files, manifests, path_of
from dp_assets_tests.usecases.maintenance.compacting import FILES, around, closure_of
from dp_assets_tests.usecases.maintenance.things import NAME, SCHEMA, SPEC, Things, rows

EVERY = ManifestRule(min_fall=1)
# Also those that are alone in their pile.
ALL = ManifestRule(min_fall=0)
PARTS = tuple(f"p{n}" for n in range(8))
MANY = 400


def planned(catalog: Catalog, name: TableId = NAME, rule: ManifestRule = EVERY) -> ManifestPlan:
    return plan_manifests(str(name), closure_of(existing_pointer(catalog, name)), rule)


def rewrite(
    lake: Lake,
    name: TableId = NAME,
    *,
    rule: ManifestRule = EVERY,
    failpoint: Callable[[str], None] = nothing,
    guard: Callable[[], None] = lambda: None,
    plan: ManifestPlan | None = None,
) -> Rewritten:
    plan = plan or planned(lake.catalog, name, rule)
    surroundings = around(lake.catalog, failpoint=failpoint, guard=guard)
    with RewriteAttempts(surroundings, plan, "run-1", lake.folder) as attempts:
        return attempts.run()


def listed(pointer: str) -> Counter[str]:
    """Every live file of the head, with all that is said of it and all that it inherits."""
    raw = read_metadata_of(pointer)
    (head,) = (s for s in raw["snapshots"] if s["snapshot-id"] == head_id(raw))
    lines = records(FILES.read(head["manifest-list"]), name="list")
    return Counter(said for line in lines for said in _said(line, raw["format-version"]))


def read_metadata_of(pointer: str) -> dict[str, Any]:
    return dict(read_metadata(PyArrowFileIO(), one_spelling(pointer)))


def _said(line: dict[str, Any], version: int) -> Iterator[str]:
    row_id, number = line.get("first_row_id"), line.get("sequence_number") or 0
    for entry in records(FILES.read(line["manifest_path"]), name="manifest"):
        if entry["status"] == 2:
            continue
        file = {k: v for k, v in entry["data_file"].items() if v is not None}
        file["partition"] = list(file["partition"].values())
        file.pop("block_size_in_bytes", None)
        file.setdefault("content", 0)
        if not file["content"] and row_id is not None and "first_row_id" not in file:
            file["first_row_id"] = row_id
            row_id += file["record_count"]
        numbers = [entry.get("sequence_number"), entry.get("file_sequence_number")]
        if entry["status"] == 1 or number == 0:
            numbers = [number if n is None else n for n in numbers]
        about = [line["partition_spec_id"], entry["snapshot_id"] or line["added_snapshot_id"]]
        yield repr([*about, numbers if version > 1 else [], sorted(file.items())])


def check_lines(table: Table, snapshot_id: int | None) -> int:
    """What lines say of the manifests of a snapshot is what PyIceberg makes of their entries."""
    ours = [line for line in manifests(table) if line.added_snapshot_id == snapshot_id]
    snapshot = table.snapshot_by_id(snapshot_id) if snapshot_id else None
    for line in ours:
        assert snapshot
        assert line.sequence_number == (snapshot.sequence_number or 0)
        entries = line.fetch_manifest_entry(table.io, discard_deleted=False)
        assert line.existing_files_count == len(entries)
        assert (line.added_files_count, line.deleted_files_count) == (0, 0)
        assert line.existing_rows_count == sum(e.data_file.record_count for e in entries)
        assert line.manifest_length == path_of(line.manifest_path).stat().st_size
        numbers = [e.sequence_number for e in entries if e.sequence_number is not None]
        assert line.min_sequence_number == min(numbers, default=0)
        check_summaries(table, line, [e.data_file.partition for e in entries])
    return len(ours)


def check_summaries(table: Table, line: ManifestFile, partitions: list[Any]) -> None:
    spec = table.specs()[line.partition_spec_id]
    expected = construct_partition_summaries(spec, table.schema(), partitions)
    names = ("contains_null", "contains_nan", "lower_bound", "upper_bound")
    assert [[getattr(one, n) for n in names] for one in line.partitions or ()] == [
        [getattr(one, n) for n in names] for one in expected
    ]


def make_many(lake: Lake, **properties: str) -> Things:
    """400 manifests of a file each, in eight partitions, made by PyIceberg."""
    things = Things(lake)
    lake.catalog.create_namespace("raw")
    said = {ADOPTED: "true", **properties}
    lake.catalog.create_table(NAME.identifier, SCHEMA, partition_spec=SPEC, properties=said)
    things.table.append(pa.concat_tables([rows(part, [n]) for n, part in enumerate(PARTS)]))
    add_manifests(things, MANY)
    return things


def add_manifests(things: Things, count: int) -> None:
    """A commit of ``count`` manifests, whose files are links to those of the head."""
    table, raw, pointer = things.table, things.raw, things.pointer
    files = [task.file for task in table.scan().plan_files()]
    snapshot_id = uuid.uuid4().int >> 66
    made = [_manifest(table, files, n, snapshot_id=snapshot_id) for n in range(count)]
    listing = f"{table.location()}/metadata/snap-{uuid.uuid4()}.avro"
    parent, number = raw["current-snapshot-id"], raw["last-sequence-number"] + 1
    with write_manifest_list(
        2, table.io.new_output(listing), snapshot_id, parent, number, "deflate"
    ) as lines:
        lines.add_manifests([*made, *manifests(table)])
    at_ms = raw["last-updated-ms"] + 1
    new = NewSnapshot(snapshot_id, at_ms, listing, {"operation": "append"}, 0)
    changed = add_snapshot(raw, new, previous_location=pointer)
    things.edit(lambda now: now.update(changed))


def _manifest(table: Table, files: list[DataFile], n: int, *, snapshot_id: int) -> ManifestFile:
    output = table.io.new_output(f"{table.location()}/metadata/{uuid.uuid4()}-m0.avro")
    with write_manifest(2, table.spec(), table.schema(), output, snapshot_id, "deflate") as writer:
        file = _link(files[n % len(files)])
        writer.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=file
            )
        )
    return writer.to_manifest_file()


def _link(file: DataFile) -> DataFile:
    """The same rows in a file of another name."""
    location = file.file_path.replace(".parquet", f"-{uuid.uuid4()}.parquet")
    os.link(path_of(file.file_path), path_of(location))
    known = {name: getattr(file, name) for name in _FILE_FIELDS}
    return DataFile.from_args(**{**known, "file_path": location})


_FILE_FIELDS = (
    "content",
    "file_format",
    "partition",
    "record_count",
    "file_size_in_bytes",
    "column_sizes",
    "value_counts",
    "null_value_counts",
    "nan_value_counts",
    "lower_bounds",
    "upper_bounds",
    "key_metadata",
    "split_offsets",
    "equality_ids",
    "sort_order_id",
)


def leftovers(things: Things) -> set[str]:
    """Kinds of files in the warehouse that no snapshot names."""
    named = {path_of(str(path)) for path in check_files(things.table)}
    there = {path for path in Path(things.lake.warehouse).rglob("*") if path.is_file()}
    return {path.suffix for path in there - named}
