"""One record of the trash after the other: what nothing names is deleted, then the record."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.core.errors import TransientError
from dp_assets.domains.maintenance.trash import (
    live_holds,
    protected_by_others,
    why_kept,
    why_not_yet,
)
from dp_assets.ports.maintenance_trash import TrashState
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.maintenance.trash_deleting import delete_unless_changed
from dp_assets.usecases.maintenance.trash_names import NamedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dp_assets.adapters.recovery.heartbeat import Heartbeat
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord

BATCH_FILES = 500


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of one record.

    Attributes:
        files, bytes: deleted, or to be deleted in a dry run.
        named: files that something names, or that are others by now; they stay, and leave the
            trash with their record.
        why: why the record stays as it is; "" when it was emptied.
    """

    record: TrashRecord
    files: int
    bytes: int
    named: int
    why: str


class RecordEmptying:
    """Empties one record after the other, each under its table's lease.

    Args:
        lake: with an identity.
        look: tells what tables name, of the files of all records.
        lakehouse_id: whose records may be emptied.
        now_ms: what windows are judged by.
        at_once: whatever the windows say.
        failpoint: told after each durable step.
    """

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
        going = self._unnamed(self._unprotected(record, records))
        return Emptied(record, len(going), _bytes(going), len(record.files) - len(going), "")

    def empty(self, record: TrashRecord) -> Emptied:
        """Delete what nothing names, then the record."""
        with ExitStack() as stack:
            name, doing = f"table/{self._look.table(record)}", f"empty trash {record.id}"
            try:
                beat = stack.enter_context(kept_lease(self._lake, name, doing=doing))
            except TransientError as error:
                return Emptied(record, 0, 0, 0, error.what)
            return self._empty(record, beat)

    def _empty(self, record: TrashRecord, beat: Heartbeat) -> Emptied:
        self._look.refresh()
        now = self._records.again(record)
        if now is None:
            return Emptied(record, 0, 0, 0, "it was taken out meanwhile")
        open_still = why_not_yet(now, now_ms=self._now_ms, at_once=self._at_once)
        why = open_still or self._why_kept(now)
        if why:
            return Emptied(now, 0, 0, 0, why)
        asked = self._unprotected(now, self._records.all())
        kept = self._delete(now, asked, beat)
        gone = len(asked) - len(kept)
        return Emptied(now, gone, _bytes(asked) - _bytes(kept), len(now.files) - gone, "")

    def _why_kept(self, record: TrashRecord) -> str:
        return why_kept(
            record,
            self._look.metadata(record.uuid),
            lakehouse_id=self._lakehouse_id,
            tables=self._look.tables,
        )

    def _unprotected(
        self, record: TrashRecord, records: Sequence[TrashRecord]
    ) -> list[TrashedFile]:
        """The record's files that no other record keeps."""
        key = self._look.key
        others = protected_by_others(
            record, records, now_ms=self._now_ms, at_once=self._at_once, key=key
        )
        return [file for file in record.files if key(file.path) not in others]

    def _unnamed(self, files: Sequence[TrashedFile]) -> list[TrashedFile]:
        """Those that no table names, as the tables were at the last refresh."""
        return [file for file in files if not self._look.names(file.path)]

    def _delete(
        self, record: TrashRecord, asked: Sequence[TrashedFile], beat: Heartbeat
    ) -> list[TrashedFile]:
        """The files that stay, because a table names them or they are others by now.

        What is named is asked here and nowhere else: right before each batch.
        """
        self._records.put(replace(record, state=TrashState.EMPTYING), guard=beat.check)
        self._failpoint("marked")
        kept: list[TrashedFile] = []
        for batch in _batches(asked):
            require_no_holds(self._lake)
            self._look.refresh()
            self._require_emptying(record)
            beat.check()
            unnamed = self._unnamed(batch)
            kept += [file for file in batch if file not in unnamed]
            kept += delete_unless_changed(self._files, unnamed, guard=beat.check_sometimes)
            self._failpoint("deleted")
        beat.check()
        if record.side_pointer:
            self._files.delete(record.side_pointer)
        self._records.remove(record)
        return kept

    def _require_emptying(self, record: TrashRecord) -> None:
        """A table that was renamed has two leases: who takes the record out may hold the other."""
        now = self._records.again(record)
        if now is None or now.state is not TrashState.EMPTYING:
            raise TransientError(
                f"empty trash {record.id}: it was taken out meanwhile", hint="run it again"
            )


def require_no_holds(lake: Lakehouse) -> None:
    """Raises TransientError while a recovery point is being made."""
    holds = live_holds(lake.leases.held())
    if holds:
        raise TransientError(
            f"empty the trash: {', '.join(holds)} may still need what is in it",
            hint="run it again when that recovery point is made",
        )


def _batches(files: Sequence[TrashedFile]) -> Iterator[Sequence[TrashedFile]]:
    for start in range(0, len(files), BATCH_FILES):
        yield files[start : start + BATCH_FILES]


def _bytes(files: Sequence[TrashedFile]) -> int:
    return sum(file.size or 0 for file in files)
