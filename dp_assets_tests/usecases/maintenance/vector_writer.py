"""Another writer that deletes rows of a table of version 3, as an engine does: by a new vector.

PyIceberg 0.12 writes none. A file's vector before is replaced by one with its rows and the new.
"""

import json
import secrets
from copy import deepcopy
from pathlib import Path
from uuid import uuid4

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import load_file_io

from dp_assets.adapters.iceberg_avro import entry_schema, schema_of, taking_entry
from dp_assets.adapters.iceberg_publish import publish
from dp_assets.adapters.iceberg_snapshot import current_lines, stage_snapshot
from dp_assets.adapters.iceberg_state import load_state
from dp_assets.adapters.maintenance.manifest_reading import live_entries
from dp_assets.adapters.maintenance.manifest_writing import ADDED, DELETES, Kind, NewManifest
from dp_assets.adapters.maintenance.replace_manifests import Leaving, ReplaceManifests
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.avro_generic import Record, open_container
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.delete_files import puffin, vector
from dp_assets_tests.usecases.maintenance.compacting import FILES

VERSION = 3


def delete_by_vector(catalog: SqlCatalog, table: TableId, path: str, row: int) -> None:
    """Commit the deletion of one more row of a data file that has a vector."""
    io = load_file_io(catalog.properties, catalog.properties.get("warehouse"))
    state = load_state(io, existing_pointer(catalog, table))
    lines, _ = current_lines(state)
    (line, schema, old), *_ = (
        (line, schema, entry)
        for line in lines
        if line["content"] == DELETES
        for schema, entry in _entries(line)
        if entry["data_file"]["referenced_data_file"] == path
    )
    file = old["data_file"]
    snapshot_id, number = secrets.randbits(62), state.raw["last-sequence-number"] + 1
    manifests = ReplaceManifests(
        state=state,
        snapshot_id=snapshot_id,
        sequence_number=number,
        leaving=Leaving((), {(file["file_path"], file["content_offset"])}),
    )
    manifests.rewrite([line])
    kind = Kind(line["partition_spec_id"], DELETES, json.dumps(schema, sort_keys=True))
    added = NewManifest(state, kind, snapshot_id=snapshot_id, header={})
    added.add(_replaced(old, path, row, snapshot_id=snapshot_id, folder=state.raw["location"]))
    staged = stage_snapshot(
        state,
        [*manifests.lines, added.write()],
        leave={line["manifest_path"]},
        snapshot_id=snapshot_id,
        summary={"operation": "delete"},
        now_ms=now_ms(),
    )
    publish(catalog, table, staged, before_swap=lambda: None)


def _entries(line: Record) -> list[tuple[Record, Record]]:
    name = line["manifest_path"]
    container = open_container(FILES.read(name), name=name)
    schema = entry_schema(VERSION, schema_of(container))
    take = taking_entry(schema_of(container), schema)
    return [(schema, deepcopy(entry)) for entry in live_entries(container, take, line)]


def _replaced(old: Record, path: str, row: int, *, snapshot_id: int, folder: str) -> Record:
    """The entry of a vector with one more row, in a file of its own."""
    file = old["data_file"]
    place = Place(file["content_offset"], file["content_size_in_bytes"], file["record_count"])
    rows = read_vectors(FILES, file["file_path"], places=[place])[place].positions
    rows.add(row)
    blob = vector(rows)
    content, [offset] = puffin({path: blob})
    location = f"{folder}/data/{uuid4()}-dv.puffin"
    Path(one_spelling(location)).write_bytes(content)
    about = {
        "file_path": location,
        "record_count": len(rows),
        "file_size_in_bytes": len(content),
        "content_offset": offset,
        "content_size_in_bytes": len(blob),
    }
    numbers = {"sequence_number": None, "file_sequence_number": None, "snapshot_id": snapshot_id}
    return {**old, "status": ADDED, **numbers, "data_file": {**file, **about}}
