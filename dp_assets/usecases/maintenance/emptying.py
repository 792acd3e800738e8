"""Deleting what is in the trash, once nothing names it any more.

Before the first file goes, every table of the catalog is read whole, side tables included: one
that cannot be read, or an answer that is older than the trash, stops everything. Right before
each batch the lease and the holds are asked again, and tables whose pointer moved are read again.
A record goes last: killed anywhere, the next run does the rest.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import can_be_reached
from dp_assets.adapters.objects.copying import Workers, threads_for
from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.adapters.recovery.heartbeat import Heartbeat
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import now_ms as clock_ms
from dp_assets.domains.maintenance.trash import (
    live_holds,
    protected_by_others,
    why_kept,
    why_not_yet,
)
from dp_assets.ports.maintenance_trash import TrashState
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.maintenance.trash_names import NamedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord

BATCH_FILES = 500
DELETING_THREADS = 8


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of one record.

    Attributes:
        files, bytes: deleted, or to be deleted in a dry run.
        named: files that something names; they stay, and leave the trash with their record.
        why: why the record stays as it is; "" when it was emptied.
    """

    record: TrashRecord
    files: int
    bytes: int
    named: int
    why: str


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
    due = [one for one in records if not why_not_yet(one, now_ms=now_ms, at_once=at_once)]
    if not due:
        return ()
    _require_no_holds(lake)
    _require_reachable(due)
    look = NamedFiles(lake, due)
    look.refresh()
    run = _Emptying(
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


class _Emptying:
    """Empties one record after the other, each under its table's lease."""

    def __init__(
        self,
        lake: Lakehouse,
        look: NamedFiles,
        *,
        lakehouse_id: str,
        now_ms: int,
        at_once: bool,
        failpoint: Callable[[str], None],
    ) -> None:
        self._lake = lake
        self._look = look
        self._lakehouse_id = lakehouse_id
        self._now_ms = now_ms
        self._at_once = at_once
        self._failpoint = failpoint
        self._records = open_trash(lake)
        self._files = lake.files

    def would(self, record: TrashRecord, records: Sequence[TrashRecord]) -> Emptied:
        """What :meth:`empty` would do; changes nothing."""
        why = self._why_kept(record)
        if why:
            return Emptied(record, 0, 0, 0, why)
        going, named = self._parted(record, records)
        return Emptied(record, len(going), _bytes(going), named, "")

    def empty(self, record: TrashRecord) -> Emptied:
        """Delete what nothing names, then the record."""
        lake, ttl_ms = self._lake, self._lake.settings.leases.ttl_seconds * 1000
        with ExitStack() as stack:
            name, doing = f"table/{self._look.table(record)}", f"empty trash {record.id}"
            try:
                lease = stack.enter_context(lake.lease(name, doing=doing))
            except TransientError as error:
                return Emptied(record, 0, 0, 0, error.what)
            beat = stack.enter_context(Heartbeat(ttl_ms=ttl_ms, now_ms=clock_ms))
            beat.keep(lake.leases, lease)
            return self._empty(record, beat.check)

    def _empty(self, record: TrashRecord, check: Callable[[], None]) -> Emptied:
        self._look.refresh()
        now = self._records.again(record)
        if now is None:
            return Emptied(record, 0, 0, 0, "it was taken out meanwhile")
        open_still = why_not_yet(now, now_ms=self._now_ms, at_once=self._at_once)
        why = open_still or self._why_kept(now)
        if why:
            return Emptied(now, 0, 0, 0, why)
        going, named = self._parted(now, self._records.all())
        self._delete(now, going, check)
        return Emptied(now, len(going), _bytes(going), named, "")

    def _why_kept(self, record: TrashRecord) -> str:
        return why_kept(
            record,
            self._look.metadata(record.uuid),
            lakehouse_id=self._lakehouse_id,
            tables=self._look.tables,
        )

    def _parted(
        self, record: TrashRecord, records: Sequence[TrashRecord]
    ) -> tuple[list[TrashedFile], int]:
        """The files that go, and the number of those that something names."""
        key = self._look.key
        others = protected_by_others(
            record, records, now_ms=self._now_ms, at_once=self._at_once, key=key
        )
        going = [
            file
            for file in record.files
            if key(file.path) not in others and not self._look.names(file)
        ]
        return going, len(record.files) - len(going)

    def _delete(
        self, record: TrashRecord, going: Sequence[TrashedFile], check: Callable[[], None]
    ) -> None:
        check()
        self._records.put(replace(record, state=TrashState.EMPTYING))
        self._failpoint("marked")
        for batch in _batches(going):
            _require_no_holds(self._lake)
            self._look.refresh()
            check()
            self._delete_batch([file.path for file in batch if not self._look.names(file)])
            self._failpoint("deleted")
        check()
        if record.side_pointer:
            self._files.delete(record.side_pointer)
        self._records.remove(record)

    def _delete_batch(self, paths: Sequence[str]) -> None:
        def delete(path: str, _stop: Event) -> None:
            self._files.delete(path)

        threads = threads_for([0] * len(paths), paths, most=DELETING_THREADS)
        Workers(delete, count=threads).run(paths)


def _require_no_holds(lake: Lakehouse) -> None:
    holds = live_holds(lake.leases.held())
    if holds:
        raise TransientError(
            f"empty the trash: {', '.join(holds)} may still need what is in it",
            hint="run it again when that recovery point is made",
        )


def _require_reachable(due: Sequence[TrashRecord]) -> None:
    """Before anything goes, and so that nothing is judged by a prefix that nobody knows."""
    for record in due:
        for file in record.files:
            if not can_be_reached(file.path):
                raise PermanentError(
                    f"empty the trash: nothing is known of files like {file.path} "
                    f"(record {record.id})",
                    hint="nothing was deleted; known are file:// and s3:// locations",
                )


def _batches(files: Sequence[TrashedFile]) -> Iterator[Sequence[TrashedFile]]:
    for start in range(0, len(files), BATCH_FILES):
        yield files[start : start + BATCH_FILES]


def _bytes(files: Sequence[TrashedFile]) -> int:
    return sum(file.size or 0 for file in files)
