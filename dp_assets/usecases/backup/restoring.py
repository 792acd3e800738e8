"""Tables out of a repository into a lakehouse: files first, then the catalog, nothing overwritten.

Order: the target is made where it is missing, the journal is written, namespaces are made, then
every file of every table, its metadata file last; only then are the tables registered. So a table
is seen whole or not at all, and a killed restore is finished by reading the journal.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.restore_plan import Refused, require_room
from dp_assets.lakehouse import opened
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.recovery import TableContent
from dp_assets.usecases.backup.copied_files import nobody_counts
from dp_assets.usecases.backup.registering_restored import Registration
from dp_assets.usecases.backup.relocation import Relocation
from dp_assets.usecases.backup.restore_journal import RestoreJournal
from dp_assets.usecases.backup.restore_planning import way_into
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.kept_lease import kept_lease

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.restore_plan import RestorePlan, TablePlan, Wanted
    from dp_assets.usecases.backup.placing import Way
    from dp_assets.usecases.backup.restore_target import Target

LEASE, DOING = "restore", "dp restore"


@dataclass(frozen=True, slots=True)
class RestoredTable:
    """A table that is there again; ``seconds`` until its last file was written."""

    plan: TablePlan
    seconds: float


@dataclass(frozen=True, slots=True)
class Restored:
    """How a restore ended.

    Attributes:
        refused: what did not come back, planned or found on the way.
        views: views that the target's catalog cannot hold.
        lakehouse_id: of the target.
        seconds: from the first file to the last table in the catalog.
    """

    tables: tuple[RestoredTable, ...]
    refused: tuple[Refused, ...]
    views: tuple[str, ...]
    lakehouse_id: str
    seconds: float


def restore(
    repository: Repository,
    target: Target,
    plan: RestorePlan,
    *,
    resume: bool = False,
    on_bytes: Callable[[int], None] = nobody_counts,
) -> Restored:
    """Carry out ``plan``; killed, it is called again with the plan of its journal and ``resume``.

    Raises:
        ConfigurationError: another restore into the target was begun and not finished.
        TransientError: another restore is at work there.
        PermanentError: the disk is full, or the target belongs to another lakehouse.
    """
    journal = RestoreJournal(target)
    _require_begun(journal, resume=resume)
    if not resume:
        require_room(plan.bytes, target.free_bytes(), where=target.address)
    started = time.monotonic()
    made = initialise(target.settings)
    target.write_settings()
    with (
        opened(target.settings, doing=DOING) as lake,
        kept_lease(lake, LEASE, doing=DOING) as guard,
    ):
        journal.begin(plan)
        way = replace(
            way_into(repository, target), resume=resume, guard=guard.require, on_bytes=on_bytes
        )
        way.tmp_dir.mkdir(parents=True, exist_ok=True)
        registration = Registration(lake, plan, Points(repository), guard=guard.check)
        registration.make_namespaces()
        whole, damaged = _write_tables(way, plan, registration)
        way.files.settle(table.plan.pointer for table in whole)
        unserved = registration.run([table.plan for table in whole])
        views = registration.make_views()
        journal.finish()
    names = {one.table for one in unserved}
    return Restored(
        tables=tuple(table for table in whole if str(table.plan.source) not in names),
        refused=(*plan.refused, *damaged, *unserved),
        views=views,
        lakehouse_id=made.identity.lakehouse_id,
        seconds=time.monotonic() - started,
    )


def begun_restore(repository: Repository, target: Target, wanted: Wanted) -> RestorePlan:
    """The plan that an interrupted restore into ``target`` left.

    Raises ConfigurationError when there is none, or when it is not about what is asked for.
    """
    begun = RestoreJournal(target).read()
    if begun is None:
        raise _nothing_to_resume()
    here = repository.description.repository_id
    if begun.repository_id != here or wanted.point not in (None, begun.point):
        raise ConfigurationError(
            f"the interrupted restore is of recovery point {begun.point} in repository "
            f"{begun.repository_id}",
            hint="name that repository, and no other point, to finish it",
        )
    return begun


def _write_tables(
    way: Way, plan: RestorePlan, registration: Registration
) -> tuple[list[RestoredTable], list[Refused]]:
    """Every file of every table; of one that the repository has damaged, none stays."""
    whole: list[RestoredTable] = []
    damaged: list[Refused] = []
    for table in plan.tables:
        started = time.monotonic()
        moving: Relocation | None = None
        try:
            if not registration.is_done(table):
                content = way.repository.read_document(TableContent, table.content)
                moving = Relocation(way, content, location=table.location)
                moving.run(uuid=table.uuid)
            whole.append(RestoredTable(table, time.monotonic() - started))
        except (DamagedObjectError, MissingObjectError) as error:
            if moving:
                moving.undo()
            damaged.append(Refused(str(table.source), error.what))
    return whole, damaged


def _require_begun(journal: RestoreJournal, *, resume: bool) -> None:
    if not resume:
        journal.require_none()
    elif not journal.read():
        raise _nothing_to_resume()


def _nothing_to_resume() -> ConfigurationError:
    return ConfigurationError(
        "there is no restore to resume", hint="leave --resume away, or name the same --to"
    )
