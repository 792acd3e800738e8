"""Recovery points with proof facts, made from any tables through any files: what a drill needs."""

import io
from collections.abc import Mapping
from dataclasses import replace

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_proof import snapshot_facts
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import (
    History,
    PointManifest,
    PointRecord,
    PointTable,
    StoredFile,
    TableContent,
)
from dp_assets_tests.fakes.known_objects import NothingKnown

LAKEHOUSE = "lake-1"


def store_table(
    repository: Repository,
    table: str,
    pointer: str,
    files: LakeFiles,
    *,
    rows: Mapping[int, int] | None = None,
) -> PointTable:
    """A table's line; ``rows`` says by snapshot what some engine has counted."""
    closure = read_closure(files, pointer, history=History.ALL)
    stored = tuple(
        StoredFile(f, "", repository.add(io.BytesIO(files.read(f.path)), known=NothingKnown()))
        for f in closure.files
    )
    facts = snapshot_facts(closure, files, {s.file.path: s.ref.sha256 for s in stored})
    counted = tuple(
        replace(one, rows=(rows or {})[one.snapshot_id], rows_by="spark")
        if one.rows is None and one.snapshot_id in (rows or {})
        else one
        for one in facts
    )
    content = TableContent(
        table=table,
        uuid=closure.uuid,
        pointer=pointer,
        location=closure.location,
        format_version=closure.format_version,
        history=History.ALL,
        head=closure.head,
        schema=closure.schema,
        refs=closure.refs,
        snapshots=counted,
        files=stored,
    )
    return PointTable(
        table=table,
        uuid=content.uuid,
        pointer=pointer,
        files=len(stored),
        bytes=sum(one.ref.size for one in stored),
        rows=next((one.rows for one in counted if one.snapshot_id == content.head), None),
        snapshots=len(counted),
        head=content.head,
        content=repository.add_document(content, known=NothingKnown()),
        references=None,
    )


def commit_point(
    repository: Repository, tables: tuple[PointTable, ...], *, cut_at_ms: int
) -> PointRecord:
    """A recovery point of these lines."""
    points = Points(repository)
    number = points.claim("test", now_ms=cut_at_ms)
    manifest = PointManifest(
        number=number,
        lakehouse_id=LAKEHOUSE,
        origin="",
        catalog_address="sqlite:///old.db",
        warehouse="/old",
        started_at_ms=cut_at_ms,
        finished_at_ms=cut_at_ms,
        cut="exact",
        cut_at_ms=cut_at_ms,
        skew_ms=0,
        history=History.ALL,
        include=("*",),
        exclude=(),
        tables=tables,
        namespaces={},
        views={},
        dump=None,
        settings=None,
    )
    sealed = points.seal_manifest(manifest)
    record = PointRecord(
        number=number,
        format=layout.FORMAT,
        lakehouse_id=LAKEHOUSE,
        created_at_ms=cut_at_ms,
        cut_at_ms=cut_at_ms,
        complete=not any(table.problem for table in tables),
        tables=len(tables),
        bytes=sum(table.bytes for table in tables),
        copied_bytes=0,
        seconds=1.0,
        manifest_sha256=sealed.sha256,
        manifest_size=len(sealed.stored),
        references=(),
        objects=(),
    )
    points.commit(record, sealed)
    return record
