"""The trash of a lakehouse: what is in it, and taking something out again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.adapters.pyiceberg_register import register_table
from dp_assets.adapters.recovery.iceberg_metadata import parse_metadata
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.moved_metadata import encode_metadata
from dp_assets.domains.maintenance.trash import side_metadata, side_name, side_uuid
from dp_assets.domains.maintenance.trash_records import TrashRecords
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashRecord, TrashState
from dp_assets.ports.object_store import MissingObjectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse

SHOWN = 3


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A restored record.

    Attributes:
        side_table: shows an expiry's snapshots, "" for other operations.
        missing: files that somebody deleted before.
    """

    record: TrashRecord
    side_table: str
    missing: int = 0


def state_url(lake: Lakehouse) -> str:
    """Where all machines see what is ours: in the warehouse, or where leases are if it is none."""
    settings = lake.settings
    return f"{str(settings.leases.root or settings.warehouse.root).rstrip('/')}/_dp"


def open_trash(lake: Lakehouse) -> TrashRecords:
    """The records; nothing is contacted yet."""
    store = open_store(
        state_url(lake),
        properties=lake.settings.catalog.plain_properties(),
        tmp_dir=lake.settings.tmp_dir,
    )
    return TrashRecords(store)


def take_out(lake: Lakehouse, record_id: str) -> TakenOut:
    """Undo what put the files into the trash, as far as it can be undone; they stay.

    An expiry comes back as a side table, foreign and to be read only, that shows the table as it
    was before; its files are safe while that table exists. Of other records the files stay, and
    the record with them, so that no later sweep takes them again. Killed, it is called again.

    Raises:
        ConfigurationError: there is no such record.
        PermanentError: files or the old metadata are gone, or this is not its lakehouse.
        TransientError: somebody is at the table.
    """
    doing = f"restore {record_id} from the trash"
    identity = lake.require_identity(doing)
    records = open_trash(lake)
    record = records.get(record_id)
    with lake.lease(f"table/{record.table}", doing=doing) as lease:
        record = records.get(record_id)
        _require_ours(record, identity.lakehouse_id)
        if record.operation is not Operation.EXPIRY:
            restored = replace(record, state=TrashState.RESTORED)
            records.put(restored, guard=lambda: lake.leases.check(lease))
            return TakenOut(record, "", missing=len(_missing(lake, record)))
        _require_whole(lake, record)
        side = _show(lake, records, record, guard=lambda: lake.leases.check(lease))
        return TakenOut(record, str(side))


def _require_ours(record: TrashRecord, lakehouse_id: str) -> None:
    if record.lakehouse_id != lakehouse_id:
        raise PermanentError(
            f"restore {record.id} from the trash: it is of lakehouse {record.lakehouse_id}",
            hint="restore it there",
        )


def _missing(lake: Lakehouse, record: TrashRecord) -> list[str]:
    files = lake.files
    return [file.path for file in record.files if files.stat(file.path) is None]


def _require_whole(lake: Lakehouse, record: TrashRecord) -> None:
    """Raises PermanentError when its files are no longer all there."""
    if missing := _missing(lake, record):
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise PermanentError(
            f"restore {record.id} from the trash: files are gone: "
            f"{', '.join(missing[:SHOWN])}{more}",
            hint="'dp restore' brings the table back from a recovery point of that time",
        )


def _show(
    lake: Lakehouse, records: TrashRecords, record: TrashRecord, *, guard: Callable[[], None]
) -> TableId:
    """Register the side table; the record says so before, so that emptying knows of it."""
    files, side = lake.files, side_name(record)
    location = f"{state_url(lake)}/side/{record.id}"
    pointer = f"{location}/metadata/00000-{side_uuid(record)}.metadata.json"
    if read_pointer(lake.catalog, side) is not None:
        return side  # an earlier call made it, or somebody wrote to it since
    try:
        before = parse_metadata(files.read(record.pointer), location=record.pointer)
    except MissingObjectError as error:
        raise PermanentError(
            f"restore {record.id} from the trash: {record.pointer} is gone; a writer of "
            f"{record.table} deletes old metadata files",
            hint="'dp restore' brings the table back from a recovery point of that time",
        ) from error
    marked = replace(record, state=TrashState.RESTORED, side_table=str(side), side_pointer=pointer)
    records.put(marked, guard=guard)
    with files.create(pointer) as out:
        out.write(encode_metadata(side_metadata(before, record, location=location)))
        out.commit(replace=True)
    guard()
    register_table(lake.catalog, side, pointer)
    return side
