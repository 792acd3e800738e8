"""What an operation last did to a table, whoever did it, as the table and the trash tell.

A run that is killed after its commit leaves no row in the journal and no event in Dagster. The next
one finds nothing to do, and this is how it can say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.core.units import iso_utc
from dp_assets.domains.maintenance.replace_summary import OPERATION, RUN_ID
from dp_assets.ports.maintenance import Operation
from dp_assets.usecases.maintenance.trash import open_trash

if TYPE_CHECKING:
    from dp_assets.adapters.iceberg_json import Json
    from dp_assets.lakehouse import Lakehouse

UNKNOWN = "not known"  # never, or so long ago that nothing is left of it
WITH_SNAPSHOT = frozenset({Operation.MANIFESTS, Operation.COMPACTION})


def last_done(lake: Lakehouse, metadata: Json, operation: Operation) -> str:
    """One line: the newest snapshot of the operation with its run, or its newest trash record.

    Args:
        lake: open.
        metadata: of the table.
        operation: that is asked about.

    Raises LakeError when the trash cannot be read.
    """
    if operation in WITH_SNAPSHOT:
        return _newest_snapshot(metadata, operation)
    records = open_trash(lake).of(metadata.get("table-uuid", ""))
    found = [record for record in records if record.operation is operation]
    if not found:
        return UNKNOWN
    newest = found[-1]
    what = f"{len(newest.files)} files into trash record {newest.id}"
    if newest.snapshots:
        what = f"{len(newest.snapshots)} snapshots, {what}"
    return f"{iso_utc(newest.at_ms)}: {what}"


def _newest_snapshot(metadata: Json, operation: Operation) -> str:
    for snapshot in reversed(metadata.get("snapshots") or ()):
        said = snapshot.get("summary") or {}
        if said.get(OPERATION) == str(operation):
            at, run_id = iso_utc(snapshot["timestamp-ms"]), said.get(RUN_ID, "unknown")
            return f"{at}: snapshot {snapshot['snapshot-id']} by run {run_id}"
    return UNKNOWN
