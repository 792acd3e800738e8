"""Making a staged commit visible: metadata file, last guard, pointer."""

import json
from collections.abc import Callable

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitStateUnknownException,
    ServerError,
    ServiceUnavailableError,
)
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import (
    AddSnapshotUpdate,
    AssertRefSnapshotId,
    AssertTableUUID,
    SetSnapshotRefUpdate,
)

from dp_assets.adapters.iceberg_json import (
    MAIN,
    Json,
    add_snapshot,
    head_id,
    main_ref,
    read_metadata,
    snapshot_json,
)
from dp_assets.adapters.iceberg_snapshot import Staged
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.adapters.pyiceberg_pointer import swap_pointer
from dp_assets.core.errors import OutcomeUnknownError
from dp_assets.core.ids import TableId

# No answer, or one that says nothing about the commit; a client's network errors are OSErrors.
BROKEN_ANSWERS = (CommitStateUnknownException, ServerError, ServiceUnavailableError, OSError)


def publish(
    catalog: Catalog, table: TableId, staged: Staged, *, before_swap: Callable[[], None]
) -> TableState:
    """Move the pointer; ``before_swap`` is the last word of whoever guards the table.

    Raises:
        TransientError: another writer was first.
        OutcomeUnknownError: the catalog broke off and cannot be asked.
    """
    if not isinstance(catalog, SqlCatalog):
        return _publish_through_api(catalog, table, staged, before_swap=before_swap)
    base = staged.base
    raw = add_snapshot(base.raw, staged.snapshot, previous_location=base.pointer)
    return move_to(catalog, table, base, raw, before_swap=before_swap)


def move_to(
    catalog: SqlCatalog,
    table: TableId,
    base: TableState,
    raw: Json,
    *,
    before_swap: Callable[[], None],
) -> TableState:
    """Make ``raw`` the metadata of ``table``, which must still be at ``base``; see `publish`."""
    pointer = _next_metadata_file(base)
    with base.io.new_output(pointer).create() as stream:
        stream.write(json.dumps(raw, separators=(",", ":")).encode())
    before_swap()
    swap_pointer(
        catalog,
        table,
        old=base.pointer,
        new=pointer,
        stands_on=lambda now: _stands_on(read_metadata(base.io, now), base, pointer, raw),
    )
    return TableState(pointer=pointer, raw=raw, io=base.io)


def _stands_on(now: Json, base: TableState, pointer: str, raw: Json) -> bool | None:
    """Whether ``now`` was made from our metadata file ``pointer``; None when it does not tell.

    Writers keep only so many files in the log; a snapshot of ours tells as well, until it expires.
    """
    log = [entry["metadata-file"] for entry in now.get("metadata-log") or ()]
    if pointer in log or (_snapshot_ids(raw) - _snapshot_ids(base.raw)) & _snapshot_ids(now):
        return True
    return False if base.pointer in log else None


def _snapshot_ids(metadata: Json) -> set[int]:
    return {snapshot["snapshot-id"] for snapshot in metadata.get("snapshots") or ()}


def _publish_through_api(
    catalog: Catalog, table: TableId, staged: Staged, *, before_swap: Callable[[], None]
) -> TableState:
    base, new = staged.base, staged.snapshot
    ref = main_ref(base.raw, new.snapshot_id)
    requirements = (
        AssertTableUUID(uuid=base.model.table_uuid),
        AssertRefSnapshotId.model_validate({"ref": MAIN, "snapshot-id": head_id(base.raw)}),
    )
    updates = (
        AddSnapshotUpdate(snapshot=Snapshot.model_validate(snapshot_json(base.raw, new))),
        SetSnapshotRefUpdate.model_validate({"ref-name": MAIN, **ref}),
    )
    now = catalog.load_table(table.identifier)
    before_swap()
    try:
        pointer = catalog.commit_table(now, requirements, updates).metadata_location
    except BROKEN_ANSWERS as error:
        pointer = _pointer_if_landed(catalog, table, new.snapshot_id, cause=error)
    return load_state(base.io, pointer)


def _pointer_if_landed(
    catalog: Catalog, table: TableId, snapshot_id: int, *, cause: Exception
) -> str:
    """After a broken answer: where the table is, if our snapshot is in it.

    Raises OutcomeUnknownError when it is not: the server may be at it still.
    """
    try:
        now = catalog.load_table(table.identifier)
    except BROKEN_ANSWERS:
        now = None
    if now is not None and now.snapshot_by_id(snapshot_id) is not None:
        return now.metadata_location
    raise OutcomeUnknownError(
        f"commit to {table}: the catalog broke off ({cause})",
        hint=f"wait a minute, then look for snapshot {snapshot_id} in 'dp table {table} --history'",
    ) from cause


def _next_metadata_file(state: TableState) -> str:
    """``00007-<uuid>.metadata.json`` after ``00006-...``; writers that number otherwise get 0."""
    number = state.pointer.rsplit("/", 1)[-1].split("-", 1)[0]
    provider = load_location_provider(state.model.location, state.model.properties)
    return provider.new_table_metadata_file_location(int(number) + 1 if number.isdigit() else 0)
