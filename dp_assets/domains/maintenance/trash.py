"""When a record of the trash is emptied, and how an expiry comes back. Pure."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS
from dp_assets.domains.maintenance.expiry import has_none_of
from dp_assets.domains.maintenance.freed import LOCATIONS, Key
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashRecord, TrashState

Json = Mapping[str, Any]
WINDOW_MS = 7 * DAY_MS
HOLDS = "hold/"
MARK = "dp.trash-record"  # a table property: the side table of that record
OURS = "dp."  # table properties of ours; without them a table is foreign


def live_holds(leases: Iterable[Lease]) -> tuple[str, ...]:
    """The holds among the leases that are held: while there is one, no file is deleted.

    What a recovery point in progress copies is what was current when it began, or a part of its
    history; a record made since then may name that.
    """
    return tuple(lease.name for lease in leases if lease.name.startswith(HOLDS))


def is_given_back(record: TrashRecord) -> bool:
    """Whether a person wants the files, which no table names, to stay where they are."""
    return record.state is TrashState.RESTORED and record.operation is not Operation.EXPIRY


def why_not_yet(record: TrashRecord, *, now_ms: int, at_once: bool) -> str:
    """Why the record is not to be emptied now; "" when it is."""
    if is_given_back(record):
        return "its files were taken out of the trash and stay"
    if record.until_ms > now_ms and not at_once and record.state is not TrashState.EMPTYING:
        return "its window is open"
    return ""


def why_kept(
    record: TrashRecord, metadata: Json | None, *, lakehouse_id: str, tables: Collection[str]
) -> str:
    """Why nothing of the record may be deleted, whatever its window says; "" when it may.

    Args:
        record: as it is now.
        metadata: of the table with the record's uuid, as the catalog has it now.
        lakehouse_id: of the lakehouse that asks.
        tables: the names in the catalog.
    """
    if record.lakehouse_id != lakehouse_id:
        return f"it is of lakehouse {record.lakehouse_id}"
    if record.side_table in tables:
        return f"{record.side_table} shows its files; drop that first"
    if metadata is None:
        return f"the catalog has no table with the uuid of {record.table}, {record.uuid}"
    if int(metadata.get("last-updated-ms") or 0) < record.updated_ms:
        return f"the catalog shows {record.table} as it was before"
    if record.state is not TrashState.UNFINISHED and not has_none_of(metadata, record.snapshots):
        return f"{record.table} has the snapshots again"
    return ""


def protected_by_others(
    record: TrashRecord, records: Iterable[TrashRecord], *, now_ms: int, at_once: bool, key: Key
) -> set[str]:
    """The keys of files that other records name and whose time has not come there."""
    return {
        key(file.path)
        for other in records
        if other.id != record.id and why_not_yet(other, now_ms=now_ms, at_once=at_once)
        for file in other.files
    }


def named_by_trash(records: Iterable[TrashRecord], key: Key) -> Iterator[str]:
    """The keys of all that records need, for whoever looks for files that nothing names.

    Besides their files it is the metadata files that an expiry is undone with.
    """
    for record in records:
        for path in (*(file.path for file in record.files), record.pointer, record.side_pointer):
            if path:
                yield key(path)


def side_name(record: TrashRecord) -> TableId:
    """The table that shows what an expiry took."""
    table = TableId.parse(record.table)
    return TableId(table.namespace, f"{table.name}__before_expiry_{record.id.replace('-', '_')}")


def side_uuid(record: TrashRecord) -> str:
    """The side table's, the same at every try."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"dp-trash:{record.uuid}:{record.id}"))


def side_metadata(metadata: Json, record: TrashRecord, *, location: str) -> dict[str, Any]:
    """``metadata`` of before the expiry, as another table over the same files.

    It is foreign (nobody adopted it), and engines are asked not to delete its files, which are
    the living table's too. It has a folder of its own for what somebody may write to it, and no
    metadata log, for those files are the living table's.
    """
    given: Json = metadata.get("properties") or {}
    properties = {n: v for n, v in given.items() if not n.startswith(OURS) and n not in LOCATIONS}
    return {
        **metadata,
        "table-uuid": side_uuid(record),
        "location": location,
        "metadata-log": [],
        "properties": {
            **properties,
            "comment": f"{record.table} before the expiry {record.id}; read only",
            "gc.enabled": "false",
            MARK: record.id,
        },
    }
