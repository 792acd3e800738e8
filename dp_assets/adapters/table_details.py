"""One table in detail, out of its metadata file and the manifests of its current snapshot."""

from collections.abc import Iterator, Mapping

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFileContent
from pyiceberg.table.snapshots import Snapshot

from dp_assets.adapters.iceberg_json import head_id
from dp_assets.adapters.metadata_facts import (
    Json,
    column_names,
    column_of,
    current_schema,
    facts_of,
)
from dp_assets.adapters.pyiceberg_inventory import UNREADABLE, count_files
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.secrets import HIDDEN, names_secret
from dp_assets.ports.details import (
    Field,
    FileSizes,
    Head,
    History,
    Ref,
    SnapshotRow,
    TableDetails,
)

RUN, PARTITION = "dp.run", "dp.partition"


def details_of(metadata: Json, *, io: FileIO, table: TableId, pointer: str) -> TableDetails:
    """Everything about ``table``; secrets in its properties are hidden.

    Raises PermanentError when the metadata does not hold what it must.
    """
    try:
        facts = facts_of(metadata, table=table, pointer=pointer, count=lambda s: count_files(io, s))
        schema = current_schema(metadata)
        head = _head(metadata)
        return TableDetails(
            facts=facts,
            fields=tuple(Field(f["id"], column_of(f)) for f in schema["fields"]),
            sort_order=_sort_order(metadata, names=column_names(schema)),
            properties={
                name: HIDDEN if names_secret(name) else value
                for name, value in sorted((metadata.get("properties") or {}).items())
            },
            refs=tuple(_refs(metadata)),
            history=history_of(metadata),
            summary=dict((head or {}).get("summary") or {}),
            files=file_sizes(io, head) if head else FileSizes(),
        )
    except UNREADABLE as error:
        said = error.what if isinstance(error, PermanentError) else f"{error}"
        raise PermanentError(
            f"read table {table}: {said or type(error).__name__}",
            hint="'dp doctor' says what is wrong with it",
        ) from error


def history_of(metadata: Json) -> History:
    """The kept snapshots and the log of which one was current when."""
    refs: dict[int, list[str]] = {}
    for ref in _refs(metadata):
        refs.setdefault(ref.snapshot_id, []).append(ref.name)
    rows = [_snapshot(s, refs=refs) for s in metadata.get("snapshots") or ()]
    # Commits of one millisecond are told apart by their order.
    newest_first = sorted(enumerate(rows), key=lambda r: (r[1].committed_ms, r[0]), reverse=True)
    log = [Head(e["timestamp-ms"], e["snapshot-id"]) for e in metadata.get("snapshot-log") or ()]
    return History(
        snapshots=tuple(row for _, row in newest_first),
        heads=tuple(sorted(log, key=lambda h: h.from_ms)) or tuple(_heads(metadata, rows)),
    )


def file_sizes(io: FileIO, snapshot: Json) -> FileSizes:
    """The live files of ``snapshot``; several deletion vectors in one file count once."""
    if "manifest-list" not in snapshot:
        return FileSizes(problem="the current snapshot names no manifest list")
    data: dict[str, int] = {}
    deletes: dict[str, int] = {}
    try:
        for manifest in Snapshot.model_validate(snapshot).manifests(io):
            for entry in manifest.fetch_manifest_entry(io):
                file = entry.data_file
                kind = data if file.content == DataFileContent.DATA else deletes
                kind[file.file_path] = file.file_size_in_bytes
    except UNREADABLE as error:
        return FileSizes(problem=f"the manifests cannot be read: {error}")
    return FileSizes(tuple(data.values()), tuple(deletes.values()))


def _head(metadata: Json) -> Json | None:
    current = head_id(metadata)
    return next((s for s in metadata.get("snapshots") or () if s["snapshot-id"] == current), None)


def _heads(metadata: Json, rows: list[SnapshotRow]) -> Iterator[Head]:
    """For writers that keep no log: the ancestors of the current snapshot, oldest first."""
    by_id = {row.snapshot_id: row for row in rows}
    found: list[Head] = []
    at = head_id(metadata)
    while at is not None and (row := by_id.get(at)):
        found.append(Head(row.committed_ms, row.snapshot_id))
        at = row.parent_id
    yield from reversed(found)


def _snapshot(snapshot: Json, *, refs: Mapping[int, list[str]]) -> SnapshotRow:
    summary = snapshot.get("summary") or {}
    added, removed = _net(summary, "added", "deleted"), _net(summary, "deleted", "added")
    return SnapshotRow(
        snapshot_id=snapshot["snapshot-id"],
        parent_id=snapshot.get("parent-snapshot-id"),
        committed_ms=snapshot["timestamp-ms"],
        operation=summary.get("operation", ""),
        added_rows=added,
        removed_rows=removed,
        rows=_total(summary),
        run=summary.get(RUN, ""),
        partition=summary.get(PARTITION, ""),
        refs=tuple(sorted(refs.get(snapshot["snapshot-id"], ()))),
    )


def _net(summary: Mapping[str, str], change: str, opposite: str) -> int | None:
    """Rows added or deleted; a row under a position delete is not there.

    ``deleted`` counts the deletes that were added, minus those that went with their file.
    """
    if "operation" not in summary and f"{change}-records" not in summary:
        return None
    rows = int(summary.get(f"{change}-records", 0))
    if change == "deleted":
        rows += int(summary.get(f"{opposite}-position-deletes", 0))
        rows -= int(summary.get("removed-position-deletes", 0))
    return max(rows, 0)


def _total(summary: Mapping[str, str]) -> int | None:
    if "total-records" not in summary:
        return None
    return max(int(summary["total-records"]) - int(summary.get("total-position-deletes", 0)), 0)


def _refs(metadata: Json) -> Iterator[Ref]:
    for name, ref in sorted((metadata.get("refs") or {}).items()):
        yield Ref(name, ref["type"], ref["snapshot-id"])


def _sort_order(metadata: Json, *, names: Mapping[int, str]) -> str:
    default = metadata.get("default-sort-order-id")
    orders = [o for o in metadata.get("sort-orders") or () if o["order-id"] == default]
    return ", ".join(_sort_field(f, names=names) for order in orders for f in order["fields"])


def _sort_field(field: Json, *, names: Mapping[int, str]) -> str:
    column = names.get(field["source-id"], f"column {field['source-id']}")
    transform = field["transform"]
    text = column if transform == "identity" else f"{transform}({column})"
    return f"{text} {field['direction']} {field['null-order'].replace('-', ' ')}"
