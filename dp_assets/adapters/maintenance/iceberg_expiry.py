"""Committing an expiry: snapshots and refs go, and nothing else changes.

An expiry makes no snapshot, so nothing in the table says whose it was; the journal does, by the
metadata file that it ended with.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table.update import (
    AssertRefSnapshotId,
    AssertTableUUID,
    RemoveSnapshotRefUpdate,
    RemoveSnapshotsUpdate,
    TableRequirement,
    TableUpdate,
)

from dp_assets.adapters.iceberg_json import Json, head_id, read_metadata, with_properties
from dp_assets.adapters.iceberg_publish import BROKEN_ANSWERS, move_to
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.core.errors import OutcomeUnknownError
from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes, and how metadata look without it."""

    snapshots: tuple[int, ...]
    refs: tuple[str, ...]
    edited: Callable[[Json], Json]


def commit_expiry(
    catalog: Catalog,
    table: TableId,
    state: TableState,
    removal: Removal,
    *,
    now_ms: int,
    before_swap: Callable[[], None],
) -> str:
    """Take ``removal`` out of ``table`` if it is still at ``state``; the new metadata file.

    ``before_swap`` is the last word of whoever guards the table.

    Other catalogs than SQL's check that every ref is where it was, but cannot be told that there
    must be no new one: a tag that is made in the milliseconds before the commit may be dropped by
    the server. That is found afterwards and said.

    Raises:
        TransientError: another writer was first.
        OutcomeUnknownError: the catalog broke off and cannot be asked, or a tag was lost.
    """
    if isinstance(catalog, SqlCatalog):
        logged = with_properties(state.raw, {}, previous_location=state.pointer, now_ms=now_ms)
        raw = removal.edited(logged)
        return move_to(catalog, table, state, raw, before_swap=before_swap).pointer
    pointer = _through_api(catalog, table, state, removal, before_swap=before_swap)
    _require_no_ref_lost(table, state, pointer, removal)
    return pointer


def _through_api(
    catalog: Catalog,
    table: TableId,
    state: TableState,
    removal: Removal,
    *,
    before_swap: Callable[[], None],
) -> str:
    requirements: list[TableRequirement] = [AssertTableUUID(uuid=state.model.table_uuid)]
    heads = {name: ref["snapshot-id"] for name, ref in (state.raw.get("refs") or {}).items()}
    for name, snapshot in {"main": head_id(state.raw), **heads}.items():
        requirements.append(
            AssertRefSnapshotId.model_validate({"ref": name, "snapshot-id": snapshot})
        )
    updates: list[TableUpdate] = [
        RemoveSnapshotRefUpdate.model_validate({"ref-name": name}) for name in removal.refs
    ]
    if removal.snapshots:
        ids = {"snapshot-ids": list(removal.snapshots)}
        updates.append(RemoveSnapshotsUpdate.model_validate(ids))
    now = catalog.load_table(table.identifier)
    before_swap()
    try:
        answer = catalog.commit_table(now, tuple(requirements), tuple(updates))
    except BROKEN_ANSWERS as error:
        return _pointer_if_landed(catalog, table, removal, cause=error)
    return answer.metadata_location


def _pointer_if_landed(
    catalog: Catalog, table: TableId, removal: Removal, *, cause: Exception
) -> str:
    """After a broken answer: where the table is, if nothing of ``removal`` is left in it."""
    try:
        now = catalog.load_table(table.identifier)
    except BROKEN_ANSWERS:
        now = None
    if now is not None:
        there = {snapshot.snapshot_id for snapshot in now.snapshots()}
        if there.isdisjoint(removal.snapshots) and not set(removal.refs) & set(now.refs()):
            return now.metadata_location
    raise OutcomeUnknownError(
        f"expiry of {table}: the catalog broke off ({cause})",
        hint="nothing was deleted; wait a minute, then run it again: it finds out what happened",
    ) from cause


def _require_no_ref_lost(table: TableId, state: TableState, pointer: str, removal: Removal) -> None:
    """Raises OutcomeUnknownError when the server committed on top of a ref that went with it."""
    landed = read_metadata(state.io, pointer)
    log = landed.get("metadata-log") or ()
    before = log[-1]["metadata-file"] if log else state.pointer
    if before == state.pointer:
        return
    lost = _refs(read_metadata(state.io, before)) - _refs(landed) - set(removal.refs)
    if lost:
        raise OutcomeUnknownError(
            f"expiry of {table}: made meanwhile and lost with it: {json.dumps(sorted(lost))}",
            hint="their files are all there; 'dp trash restore' shows the snapshots again",
        )


def _refs(metadata: Json) -> set[str]:
    return set(metadata.get("refs") or ())
