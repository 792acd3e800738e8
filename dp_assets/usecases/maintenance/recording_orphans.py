"""Puts what a sweep found into the trash: one record, and no file is touched.

Killed before the record is stored, nothing has happened; after it, the files wait for their
window like those of an expiry.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import file_identity
from dp_assets.adapters.objects.copying import Workers, threads_for
from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.core.guards import unguarded
from dp_assets.core.units import DAY_MS
from dp_assets.domains.maintenance.orphan_files import kind_of
from dp_assets.domains.maintenance.orphan_rules import TableSeen, why_older
from dp_assets.domains.maintenance.trash_records import new_id
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord, TrashState
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.maintenance.orphan_names import named_in_trash
from dp_assets.usecases.maintenance.orphan_refusals import refuse, require_no_holds, stop
from dp_assets.usecases.maintenance.trash import open_trash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.lake_files import FileStat
    from dp_assets.ports.orphans import ListedFile
    from dp_assets.usecases.maintenance.finding_orphans import Orphans

THREADS = 8


def record_orphans(
    lake: Lakehouse,
    found: Orphans,
    *,
    now_ms: int,
    guard: Callable[[], None] = unguarded,
    failpoint: Callable[[str], None] = no_failpoint,
) -> TrashRecord | None:
    """Record those of ``found`` that nothing names yet; None when none is left.

    Args:
        lake: with an identity.
        found: the most that is recorded.
        now_ms: the window begins then.
        guard: of who may maintain the table, asked right before the record is stored.
        failpoint: told after the one durable step.

    Raises:
        MaintenanceRefusedError: the table went back meanwhile, or a recovery point is made.
        PermanentError: a table or the trash cannot be read.
        TransientError: somebody holds the table, or the store does not answer.
    """
    doing = f"put orphans of {found.table} into the trash"
    identity = lake.require_identity(doing)
    with kept_lease(lake, f"table/{found.table}", doing=doing) as beat:
        files = _still_orphans(lake, found)
        if not files:
            return None
        until_ms = now_ms + lake.settings.maintenance.trash_days * DAY_MS
        record = replace(
            _record(found, files, lakehouse_id=identity.lakehouse_id),
            id=new_id(now_ms, secrets.token_hex(4)),
            at_ms=now_ms,
            until_ms=until_ms,
        )

        def both() -> None:
            guard()
            beat.check()

        open_trash(lake).put(record, guard=both)
        failpoint("recorded")
        return record


def _record(found: Orphans, files: tuple[TrashedFile, ...], *, lakehouse_id: str) -> TrashRecord:
    """Without its name and its window."""
    return TrashRecord(
        id="",
        lakehouse_id=lakehouse_id,
        table=str(found.table),
        uuid=found.seen.uuid,
        operation=Operation.ORPHANS,
        state=TrashState.WAITING,
        at_ms=0,
        until_ms=0,
        files=files,
        pointer=found.seen.pointer,
        updated_ms=found.seen.updated_ms,
    )


def _still_orphans(lake: Lakehouse, found: Orphans) -> tuple[TrashedFile, ...]:
    """What of ``found`` neither its table nor the trash names now.

    Of the other tables those that moved are read again, too, unless one listing of the catalog
    serves a whole sweep: `SweptCatalog` says why that is enough.
    """
    if found.names is None:
        return ()
    require_no_holds(lake, found.table)
    found.names.refresh()
    metadata = found.names.metadata(found.seen.uuid)
    if metadata is None:
        refuse(found.table, "it was dropped meanwhile")
    pointer = found.names.pointer(found.seen.uuid)
    stop(found.table, why_older(found.seen, TableSeen.of(metadata, pointer)))
    key = file_identity()
    trash = named_in_trash(lake, key)
    left = [
        file
        for file in found.files
        if not found.names.names(file.path) and key(file.path) not in trash
    ]
    return _as_they_are(lake, left)


def _as_they_are(lake: Lakehouse, left: Sequence[ListedFile]) -> tuple[TrashedFile, ...]:
    """Those that are there in their size, with the version that emptying compares."""
    files = lake.files

    def look(file: ListedFile, _stop: Event) -> FileStat | None:
        return files.stat(file.path)

    count = threads_for([0] * len(left), [file.path for file in left], most=THREADS)
    stats = Workers(look, count=count).run(left)
    return tuple(
        TrashedFile(file.path, kind_of(file.path), file.size, version=stat.version)
        for file, stat in zip(left, stats, strict=True)
        if stat is not None and stat.size == file.size
    )
