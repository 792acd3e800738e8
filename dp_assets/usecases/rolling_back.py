"""A user's mistake: a table back to one of its own snapshots; the ones after it stay readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.iceberg_state import load_state
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.recovery.iceberg_rollback import commit_rollback
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.lake.rollback import RollbackPlan, plan_rollback, rolled_back

if TYPE_CHECKING:
    from dp_assets.lakehouse import Lakehouse


def planned_rollback(lake: Lakehouse, name: str, snapshot: int) -> RollbackPlan:
    """What a rollback would do; changes nothing.

    Raises:
        ConfigurationError: no such table or snapshot.
        PermanentError: the table is foreign, or the snapshot's files are gone.
    """
    lake.require_identity(f"roll back {name}")
    pointers = list_pointers(lake.catalog)
    table = find_table(name, pointers)
    io = ReadingIO(lake.catalog.properties)
    metadata = read_metadata(io, pointers[table])
    refuse_foreign(table, metadata.get("properties") or {})
    plan = plan_rollback(table, metadata, snapshot)
    listed = next(s for s in metadata["snapshots"] if s["snapshot-id"] == snapshot)
    manifests = listed.get("manifest-list")
    if manifests and not io.new_input(manifests).exists():
        raise PermanentError(
            f"snapshot {snapshot} of {table} has lost its manifest list {manifests}",
            hint=f"'dp undrop {table}' puts lost files back from the repository",
        )
    return plan


def roll_back(lake: Lakehouse, plan: RollbackPlan) -> None:
    """Carry out ``plan`` under the table's lease.

    Raises:
        PermanentError: this is not certainly the lakehouse itself.
        TransientError: somebody holds the table, or committed to it since it was planned.
    """
    doing = f"roll back {plan.table}"
    lake.require_identity(doing)
    with (
        lake.lease(f"table/{plan.table}", doing=doing) as lease,
        verdicts(doing, hint="look at the table with 'dp table', then decide"),
    ):
        pointer = list_pointers(lake.catalog)[plan.table]
        io = load_file_io(lake.catalog.properties, lake.catalog.properties.get("warehouse"))
        state = load_state(io, pointer)
        if state.raw.get("current-snapshot-id") != plan.head:
            raise TransientError(
                f"{plan.table} has a new snapshot since this was planned", hint="run it again"
            )
        commit_rollback(
            lake.catalog,
            plan.table,
            state,
            plan.target,
            edited=lambda raw, at_ms: rolled_back(raw, plan.target, at_ms=at_ms),
            now_ms=now_ms(),
            before_swap=lambda: lake.leases.check(lease),
        )
