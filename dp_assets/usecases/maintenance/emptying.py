"""Deleting what is in the trash, once nothing names it any more.

Before the first file goes, every table of the catalog is read whole, side tables included: one
that cannot be read, or an answer that is older than the trash, stops everything. Right before
each batch the lease and the holds are asked again, and tables whose pointer moved are read again.
A record goes last: killed anywhere, the next run does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.domains.maintenance.trash import (
    is_given_back,
    why_not_yet,
)
from dp_assets.usecases.maintenance.record_emptying import Emptied, RecordEmptying, require_no_holds
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.maintenance.trash_deleting import require_reachable
from dp_assets.usecases.maintenance.trash_names import NamedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance_trash import TrashRecord


def empty_trash(
    lake: Lakehouse,
    *,
    now_ms: int,
    at_once: bool = False,
    dry_run: bool = False,
    failpoint: Callable[[str], None] = no_failpoint,
) -> tuple[Emptied, ...]:
    """Delete the files of every record whose window has closed, and the record.

    Args:
        lake: with an identity.
        now_ms: what windows are judged by.
        at_once: whatever the windows say.
        dry_run: change nothing.
        failpoint: told after each durable step.

    Raises:
        PermanentError: a table or a record cannot be read, the catalog is empty, a file is where
            nothing can be deleted, or this is not certainly the lakehouse itself. Nothing was
            deleted.
        TransientError: a recovery point is in progress, the lease was lost, or the store does
            not answer.
    """
    doing = "empty the trash"
    identity = lake.require_identity(doing)
    records = open_trash(lake).all()
    if not dry_run:
        _forget_gone(lake, records)
    due = [one for one in records if not why_not_yet(one, now_ms=now_ms, at_once=at_once)]
    if not due:
        return ()
    require_no_holds(lake)
    require_reachable(due)
    paths = [file.path for record in due for file in record.files]
    look = NamedFiles(lake, paths, doing=doing)
    look.refresh()
    run = RecordEmptying(
        lake,
        look,
        lakehouse_id=identity.lakehouse_id,
        now_ms=now_ms,
        at_once=at_once,
        failpoint=failpoint,
    )
    if dry_run:
        return tuple(run.would(record, records) for record in due)
    return tuple(map(run.empty, due))


def _forget_gone(lake: Lakehouse, records: Sequence[TrashRecord]) -> None:
    """Records that only say that files are to stay, which somebody has deleted since."""
    files = lake.files
    for record in filter(is_given_back, records):
        if all(files.stat(file.path) is None for file in record.files):
            open_trash(lake).remove(record)
