"""Recovery points of tables, made by hand: what a restore reads, without the backup that writes.

The walk through a table's files is this module's own, so that a file which the backup forgot is
no file that a restore is not asked for.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.adapters.recovery.sealing import PlainSealing
from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.recovery import (
    FileKind,
    History,
    PointManifest,
    PointRecord,
    PointTable,
    ReachableFile,
    SnapshotFacts,
    StoredFile,
    TableContent,
)
from dp_assets_tests.fakes.known_objects import NothingKnown

CONTENTS = (FileKind.DATA, FileKind.POSITION_DELETES, FileKind.EQUALITY_DELETES)
Read = Callable[[str], bytes]


def read_local(path: str) -> bytes:
    """A file where its name says."""
    return Path(one_spelling(path)).read_bytes()


def new_repository(folder: Path) -> Repository:
    return initialise(LocalObjectStore(folder), PlainSealing(), repository_id="r-1", now_ms=1)


def add_point(
    repository: Repository,
    tables: Mapping[str, str],
    *,
    read: Read = read_local,
    warehouse: str = "/old",
    namespaces: Mapping[str, Mapping[str, str]] | None = None,
    incomplete: Mapping[str, str] | None = None,
    cut_at_ms: int = 0,
) -> PointRecord:
    """A point of the tables with these metadata files; ``incomplete`` ones have only a reason."""
    points = Points(repository)
    number = points.claim("test", now_ms=1)
    lines = [add_table(repository, name, pointer, read) for name, pointer in tables.items()]
    for name, problem in (incomplete or {}).items():
        lines.append(PointTable(name, "", "", 0, 0, None, 0, None, None, None, problem))
    manifest = PointManifest(
        number=number,
        lakehouse_id="lake-1",
        origin="",
        catalog_address="sqlite:///old.db",
        warehouse=warehouse,
        started_at_ms=cut_at_ms,
        finished_at_ms=cut_at_ms,
        cut="exact",
        cut_at_ms=cut_at_ms,
        skew_ms=0,
        history=History.ALL,
        include=("*",),
        exclude=(),
        tables=tuple(lines),
        namespaces=namespaces or {},
        views={},
        dump=None,
        settings=None,
    )
    sealed = points.seal_manifest(manifest)
    record = PointRecord(
        number=number,
        format=layout.FORMAT,
        lakehouse_id="lake-1",
        created_at_ms=now_ms(),
        cut_at_ms=cut_at_ms,
        complete=not incomplete,
        tables=len(lines),
        bytes=0,
        copied_bytes=0,
        seconds=0,
        manifest_sha256=sealed.sha256,
        manifest_size=len(sealed.stored),
        references=(),
        objects=(),
    )
    points.commit(record, sealed)
    return record


def add_table(repository: Repository, name: str, pointer: str, read: Read) -> PointTable:
    """One table's content in the repository."""
    metadata = json.loads(read(pointer))
    files: dict[str, StoredFile] = {}
    for file in reachable(metadata, pointer, read):
        if file.path not in files:
            ref = repository.add(io.BytesIO(read(file.path)), known=NothingKnown())
            files[file.path] = StoredFile(file, "", ref)
    snapshots = metadata.get("snapshots") or []
    content = TableContent(
        table=name,
        uuid=metadata["table-uuid"],
        pointer=pointer,
        location=metadata["location"],
        format_version=metadata["format-version"],
        history=History.ALL,
        head=metadata.get("current-snapshot-id"),
        schema={},
        refs=metadata.get("refs") or {},
        snapshots=tuple(_facts(snapshot) for snapshot in snapshots),
        files=tuple(files[path] for path in sorted(files)),
    )
    return PointTable(
        table=name,
        uuid=content.uuid,
        pointer=pointer,
        files=len(files),
        bytes=sum(f.ref.size for f in files.values()),
        rows=None,
        snapshots=len(snapshots),
        head=content.head,
        content=repository.add_document(content, known=NothingKnown()),
        references=None,
    )


def reachable(metadata: Mapping[str, Any], pointer: str, read: Read) -> Iterator[ReachableFile]:
    """Everything that a table needs, manifests read as the Avro files they are."""
    yield ReachableFile(pointer, FileKind.METADATA)
    for key, kind in (
        ("statistics", FileKind.STATISTICS),
        ("partition-statistics", FileKind.PARTITION_STATISTICS),
    ):
        for found in metadata.get(key) or ():
            yield ReachableFile(found["statistics-path"], kind)
    for snapshot in metadata.get("snapshots") or ():
        manifests = list(snapshot.get("manifests") or ())
        if listed := snapshot.get("manifest-list"):
            yield ReachableFile(listed, FileKind.MANIFEST_LIST)
            manifests += [r["manifest_path"] for r in records(read(listed), name=listed)]
        for manifest in manifests:
            yield ReachableFile(manifest, FileKind.MANIFEST)
            for entry in records(read(manifest), name=manifest):
                if entry["status"] != 2:
                    yield _file(entry["data_file"])


def _file(file: Mapping[str, Any]) -> ReachableFile:
    kind, form = CONTENTS[file.get("content") or 0], file["file_format"].upper()
    if form == "PUFFIN":
        kind = FileKind.DELETION_VECTORS
    return ReachableFile(file["file_path"], kind, file["file_size_in_bytes"], format=form)


def _facts(snapshot: Mapping[str, Any]) -> SnapshotFacts:
    return SnapshotFacts(
        snapshot_id=snapshot["snapshot-id"],
        parent_id=snapshot.get("parent-snapshot-id"),
        sequence_number=snapshot.get("sequence-number", 0),
        timestamp_ms=snapshot["timestamp-ms"],
        schema_id=snapshot.get("schema-id"),
        data_files=0,
        delete_files=0,
        data_digest="",
        delete_digest="",
    )
