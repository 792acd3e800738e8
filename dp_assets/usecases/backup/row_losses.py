"""How many rows of the current snapshot each damaged file takes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.adapters.recovery.live_rows import Rows, live_rows
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.recovery import FileKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from dp_assets.ports.closure import KeptSnapshot, TableClosure
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.recovery import ReachableFile


def row_losses(
    closure: TableClosure, files: LakeFiles, damaged: Collection[ReachableFile]
) -> dict[str, Rows | None]:
    """Rows of the current snapshot that are lost with each damaged file; None: nobody knows."""
    head = next((s for s in closure.snapshots if s.snapshot_id == closure.head), None)
    if head is None or not damaged:
        return {}
    data = {one_spelling(f.path) for f in damaged if f.kind is FileKind.DATA}
    found: dict[str, Rows | None] = {}
    if data:
        found.update(live_rows(closure, files, head, only=data))
    kinds = {f.kind for f in damaged}
    listed = _listed_rows(files, head) if FileKind.MANIFEST in kinds else {}
    at_head = {one_spelling(use.path) for use in head.manifests}
    for file in damaged:
        path = one_spelling(file.path)
        if path == one_spelling(head.manifest_list):
            found[path] = _said(closure, head)
        elif path in at_head:
            found[path] = listed.get(path)
    return found


def _listed_rows(files: LakeFiles, head: KeptSnapshot) -> dict[str, Rows | None]:
    """Rows in each manifest, as the manifest list says; deletes may apply to them."""
    try:
        lines = list(records(files.read(head.manifest_list), name=head.manifest_list))
    except PermanentError:
        return {}
    deletes = any(line.get("content") for line in lines)
    found: dict[str, Rows | None] = {}
    for line in lines:
        added, carried = line.get("added_rows_count"), line.get("existing_rows_count")
        rows = None
        if added is not None and carried is not None:
            rows = Rows(added + carried, exact=not deletes)
        found[one_spelling(line["manifest_path"])] = Rows(0) if line.get("content") else rows
    return found


def _said(closure: TableClosure, head: KeptSnapshot) -> Rows | None:
    """What the snapshot says of itself; deletes may apply to these rows."""
    listed = closure.metadata.get("snapshots") or ()
    found = next((s for s in listed if s["snapshot-id"] == head.snapshot_id), None)
    summary = (found or {}).get("summary") or {}
    if "total-records" not in summary:
        return None
    exact = str(summary.get("total-delete-files", "")) == "0"
    return Rows(int(summary["total-records"]), exact=exact)
