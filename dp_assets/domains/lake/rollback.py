"""Moving a table back to a snapshot that it still has: what changes, and what goes out of sight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId

RECORDS = "total-records"
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """The decision.

    Attributes:
        head: the snapshot that is current now.
        target: the one that will be.
        given_up: the commits after ``target`` that ``head`` stands on, newest first; they stay
            readable by their numbers until they expire.
        head_rows, target_rows: as the commits say; None where they do not.
    """

    table: TableId
    head: int
    target: int
    target_at_ms: int
    given_up: tuple[int, ...]
    head_rows: int | None
    target_rows: int | None


def plan_rollback(table: TableId, metadata: Json, target: int) -> RollbackPlan:
    """The way from the current snapshot to ``target``.

    Any snapshot that the table still has will do, also one that an earlier rollback left.

    Raises ConfigurationError when it has none of that number, or is there already.
    """
    by_id: dict[int, Json] = {s["snapshot-id"]: s for s in metadata.get("snapshots") or ()}
    head = metadata.get("current-snapshot-id")
    hint = f"'dp table {table} --history' lists its snapshots"
    if target not in by_id:
        raise ConfigurationError(f"{table} has no snapshot {target}", hint=hint)
    if head not in by_id or head == target:
        raise ConfigurationError(f"{table} is at snapshot {target} already", hint=hint)
    kept = set(_ancestry(by_id, target))
    return RollbackPlan(
        table=table,
        head=head,
        target=target,
        target_at_ms=by_id[target]["timestamp-ms"],
        given_up=tuple(snapshot for snapshot in _ancestry(by_id, head) if snapshot not in kept),
        head_rows=_rows(by_id[head]),
        target_rows=_rows(by_id[target]),
    )


def rolled_back(metadata: Json, target: int, *, at_ms: int) -> dict[str, Any]:
    """``metadata`` with ``target`` as the head of main; every snapshot stays.

    Source: Iceberg table specification, "Table Metadata Fields", "Snapshot References".
    """
    refs: Json = metadata.get("refs") or {}
    main: Json = {**refs.get("main", {}), "snapshot-id": target, "type": "branch"}
    log = [*(metadata.get("snapshot-log") or ()), {"snapshot-id": target, "timestamp-ms": at_ms}]
    return {
        **metadata,
        "current-snapshot-id": target,
        "last-updated-ms": at_ms,
        "snapshot-log": log,
        "refs": {**refs, "main": main},
    }


def _ancestry(by_id: Mapping[int, Json], snapshot: int) -> tuple[int, ...]:
    """A snapshot and its parents, newest first, as far as they are kept."""
    found: dict[int, None] = {}
    at: int | None = snapshot
    while at is not None and at in by_id and at not in found:
        found[at] = None
        at = by_id[at].get("parent-snapshot-id")
    return tuple(found)


def _rows(snapshot: Json) -> int | None:
    summary: Json = snapshot.get("summary") or {}
    return int(summary[RECORDS]) if RECORDS in summary else None
