"""Manifests of version 3: PyIceberg 0.12 makes them of version 2, and they are carried over."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
)

from dp_assets.adapters.iceberg_avro import entry_schema, schema_of, taking_entry
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.manifest_writing import DATA, DELETES, Kind, NewManifest
from dp_assets.adapters.recovery.avro_generic import Container, Record, open_container
from dp_assets_tests.adapters.row_deletes import DeleteManifestWriter

VERSION = 3
# A file, and what version 3 says of it besides, by the names of the specification.
Listed = tuple[DataFile, Mapping[str, Any]]


def new_manifests(
    state: TableState, content: int, files: Iterable[Listed], *, snapshot_id: int, at: int
) -> Iterator[Record]:
    """The line of a manifest for the new files of each spec; ``at`` is that of new data files."""
    by_spec: defaultdict[int, list[Listed]] = defaultdict(list)
    for file, more in files:
        by_spec[file.spec_id if content == DELETES else at].append((file, more))
    for spec_id, ones in by_spec.items():
        container = _of_version_2(state, content, ones, spec_id=spec_id, snapshot_id=snapshot_id)
        source = schema_of(container)
        schema = entry_schema(VERSION, source)
        take = taking_entry(source, schema)
        kind = Kind(spec_id, content, json.dumps(schema, sort_keys=True))
        made = NewManifest(state, kind, snapshot_id=snapshot_id, header={})
        for entry, (_, more) in zip(map(take, container.records()), ones, strict=True):
            made.add({**entry, "data_file": {**entry["data_file"], **more}})
        yield made.write()


def vector_file(location: str, data: DataFile, *, rows: int, size: int) -> DataFile:
    """A vector of a data file, as far as version 2 has words for it."""
    made = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=location,
        file_format=FileFormat.PUFFIN,
        partition=data.partition,
        record_count=rows,
        file_size_in_bytes=size,
    )
    made.spec_id = data.spec_id
    return made


def _of_version_2(
    state: TableState, content: int, files: Iterable[Listed], *, spec_id: int, snapshot_id: int
) -> Container:
    writing = ManifestWriterV2 if content == DATA else DeleteManifestWriter
    spec, schema = state.model.specs()[spec_id], state.model.schema()
    with TemporaryDirectory() as folder:
        path = Path(folder, "manifest.avro")
        output = state.io.new_output(f"file://{path}")
        with writing(spec, schema, output, snapshot_id, "deflate") as writer:
            for file, _ in files:
                writer.add_entry(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=file
                    )
                )
        return open_container(path.read_bytes(), name=str(path))
