"""One try after the other to expire snapshots of a table, each from its newest metadata."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.io import load_file_io

from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.iceberg_expiry import Removal, commit_expiry
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import LakeError, OutcomeUnknownError, PermanentError, TransientError
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.maintenance.expiry import has_none_of, without
from dp_assets.domains.maintenance.trash_records import new_id
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashRecord, TrashState
from dp_assets.usecases.maintenance.trash import open_trash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.io import FileIO

    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.expiry import ExpiryPlan
    from dp_assets.domains.maintenance.freed import Freed
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.expiry_planning import (
        ExpiryLook,
        ExpiryLooking,
        PlannedExpiry,
    )


@dataclass(frozen=True, slots=True)
class ExpiryDone:
    """What an expiry did.

    Attributes:
        pointer: the table's metadata file now.
        record_id: of what it freed, in the trash; "" when there was nothing left to do.
    """

    table: TableId
    pointer: str
    plan: ExpiryPlan
    freed: Freed
    record_id: str


class ExpiryAttempts:
    """One expiry under the table's lease; :meth:`attempt` until something came of it.

    Args:
        lake: with an identity.
        planned: the most that is done.
        looking: reads the table anew for each attempt.
        lakehouse_id: of the record.
        window_ms: how long the files stay in the trash.
        guards: of who may maintain the table; asked last, before what cannot be undone.
        failpoint: told after each durable step.
    """

    def __init__(
        self,
        lake: Lakehouse,
        planned: PlannedExpiry,
        looking: ExpiryLooking,
        *,
        lakehouse_id: str,
        window_ms: int,
        guards: Sequence[Callable[[], None]],
        failpoint: Callable[[str], None],
    ) -> None:
        self._lake = lake
        self._planned = planned
        self._looking = looking
        self._lakehouse_id = lakehouse_id
        self._window_ms = window_ms
        self._guards = guards
        self._failpoint = failpoint
        self._records = open_trash(lake)
        self._id = new_id(looking.now_ms, secrets.token_hex(4))
        self._settled = False

    def attempt(self) -> ExpiryDone | None:
        """One try from fresh metadata; None when another writer was first."""
        table = self._planned.table
        pointers = list_pointers(self._lake.catalog)
        find_table(str(table), pointers)
        look = self._looking.look(pointers, only=self._planned.plan)
        now, freed = look.planned, look.planned.freed
        if now.uuid != self._planned.uuid:
            raise PermanentError(
                f"{table} was dropped and made again since this was planned", hint="plan it again"
            )
        self._settle(look)
        if now.plan.is_empty:
            return ExpiryDone(table, now.pointer, now.plan, freed, "")
        record = self._record(look)
        self._records.put(record)
        self._failpoint("recorded")
        pointer = self._commit(look, record)
        if pointer is None:
            return None
        self._failpoint("committed")
        # The expiry is done, whatever becomes of the record; the next run finds out. Once the lease
        # is lost the record is others' as well: a person may have taken it out of the trash.
        with suppress(LakeError):
            self._records.put(replace(record, state=TrashState.WAITING), guard=self._require_held)
        self._failpoint("closed")
        return ExpiryDone(table, pointer, now.plan, freed, record.id)

    def _settle(self, look: ExpiryLook) -> None:
        """What killed runs have left: records of commits that landed, and of those that did not."""
        if self._settled:
            return
        self._settled = True
        for record in self._records.of(look.planned.uuid):
            if record.state is not TrashState.UNFINISHED:
                continue
            if has_none_of(look.closure.metadata, record.snapshots):
                self._records.put(
                    replace(record, state=TrashState.WAITING), guard=self._require_held
                )
            else:
                self._require_held()
                self._records.remove(record)

    def _record(self, look: ExpiryLook) -> TrashRecord:
        planned, metadata = look.planned, look.closure.metadata
        return TrashRecord(
            id=self._id,
            lakehouse_id=self._lakehouse_id,
            table=str(planned.table),
            uuid=planned.uuid,
            operation=Operation.EXPIRY,
            state=TrashState.UNFINISHED,
            at_ms=self._looking.now_ms,
            until_ms=self._looking.now_ms + self._window_ms,
            files=planned.freed.files,
            pointer=planned.pointer,
            updated_ms=int(metadata.get("last-updated-ms") or 0),
            snapshots=planned.plan.snapshots,
        )

    def _commit(self, look: ExpiryLook, record: TrashRecord) -> str | None:
        """The new pointer; None when the table had moved. Without a commit the record goes."""
        table, plan = self._planned.table, look.planned.plan
        try:
            with verdicts(f"expire snapshots of {table}", hint="run it again"):
                return commit_expiry(
                    self._lake.catalog,
                    table,
                    TableState(look.planned.pointer, look.closure.metadata, self._io()),
                    Removal(
                        snapshots=plan.snapshots,
                        refs=tuple(name for name, _ in plan.refs),
                        edited=lambda metadata: without(metadata, plan),
                    ),
                    now_ms=self._looking.now_ms,
                    before_swap=self._last_word,
                )
        except OutcomeUnknownError:
            raise
        except LakeError as error:
            with suppress(LakeError):
                self._records.remove(record)
            if isinstance(error, TransientError) and self._has_moved(look):
                self._require_held()
                return None
            raise

    def _last_word(self) -> None:
        self._failpoint("metadata-written")
        self._require_held()

    def _require_held(self) -> None:
        for guard in self._guards:
            guard()

    def _has_moved(self, look: ExpiryLook) -> bool:
        return existing_pointer(self._lake.catalog, self._planned.table) != look.planned.pointer

    def _io(self) -> FileIO:
        catalog = self._lake.catalog
        if isinstance(catalog, MetastoreCatalog):
            return load_file_io(catalog.properties, catalog.properties.get("warehouse"))
        return catalog.load_table(self._planned.table.identifier).io
