"""Committing a rollback: main points at an older snapshot, and nothing else changes.

A SQL catalog's metadata is edited as the JSON it is, so a table of any format version will do.
"""

from collections.abc import Callable

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table.update import (
    AssertRefSnapshotId,
    AssertTableUUID,
    SetSnapshotRefUpdate,
)

from dp_assets.adapters.iceberg_json import MAIN, Json, head_id, main_ref, with_properties
from dp_assets.adapters.iceberg_publish import move_to
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId


def commit_rollback(
    catalog: Catalog,
    table: TableId,
    state: TableState,
    target: int,
    *,
    edited: Callable[[Json, int], Json],
    now_ms: int,
    before_swap: Callable[[], None],
) -> None:
    """Make ``target`` the head of main, if the table is still at ``state``.

    ``edited`` gives the metadata with the other head, by metadata and time; ``before_swap`` is
    the last word of whoever guards the table.

    Raises:
        TransientError: another writer was first, or ``target`` has expired meanwhile.
        OutcomeUnknownError: the catalog broke off and cannot be asked.
    """
    if not any(one["snapshot-id"] == target for one in state.raw.get("snapshots") or ()):
        # A head that is no snapshot reads as an empty table, and the next commit makes it one.
        raise TransientError(
            f"{table} has no snapshot {target} any more: it expired meanwhile",
            hint=f"'dp table {table} --history' lists what it has",
        )
    if isinstance(catalog, SqlCatalog):
        logged = with_properties(state.raw, {}, previous_location=state.pointer, now_ms=now_ms)
        move_to(
            catalog,
            table,
            state,
            edited(logged, logged["last-updated-ms"]),
            before_swap=before_swap,
        )
        return
    requirements = (
        AssertTableUUID(uuid=state.model.table_uuid),
        AssertRefSnapshotId.model_validate({"ref": MAIN, "snapshot-id": head_id(state.raw)}),
    )
    update = SetSnapshotRefUpdate.model_validate({"ref-name": MAIN, **main_ref(state.raw, target)})
    before_swap()
    catalog.commit_table(catalog.load_table(table.identifier), requirements, (update,))
