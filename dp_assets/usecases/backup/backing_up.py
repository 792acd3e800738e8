"""Making a recovery point: one consistent cut of the lakehouse, committed in the repository."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import owner_text
from dp_assets.adapters.recovery.heartbeat import Heartbeat, renewed
from dp_assets.core.errors import LakeError, PermanentError
from dp_assets.core.units import MIB, now_ms
from dp_assets.domains.backup.index import KnownFiles
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.backup.records import RECOVERY_POINTS, failed_row, point_row
from dp_assets.domains.backup.selection import Selection
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.ports.leases import held_lease
from dp_assets.ports.recovery import History
from dp_assets.usecases.backup.backup_parts import Parts, Target, Wanted
from dp_assets.usecases.backup.indexing import opened_index
from dp_assets.usecases.backup.point_making import PointMaking
from dp_assets.usecases.backup.repositories import leases_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.leases import Leases
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.point_making import BackupOutcome

BACKUP_LEASE = "backup"


def wanted_by(
    settings: Settings,
    *,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    history: History | None = None,
) -> Wanted:
    """What the settings ask for; what is given here replaces theirs."""
    backup = settings.backup
    return Wanted(
        selection=Selection(include or backup.include, exclude or backup.exclude),
        history=history or History(backup.history),
        workers=backup.workers,
        memory_bytes=backup.memory_mib * MIB,
        sample_files=backup.sample_files,
    )


def back_up(
    lake: Lakehouse,
    repository: Repository,
    *,
    wanted: Wanted,
    run_id: str,
    progress: BackupProgress | None = None,
    files: LakeFiles | None = None,
) -> BackupOutcome:
    """Make a recovery point; a table that cannot be copied whole makes it incomplete, by name.

    One row for ``ops.recovery_points`` goes to the spool, also when it fails.

    Args:
        lake: open, with an identity.
        repository: opened for writing.
        wanted: which tables, and how; see :func:`wanted_by`.
        run_id: names the run in leases, the claim and the row.
        progress: is told what happens.
        files: where the tables' files are read; by default where the catalog's properties say.

    Raises:
        TransientError: another backup runs (it is named), the own lease was lost, or the
            repository or the catalog does not answer; no point was made.
        PermanentError: the repository cannot be written, or the lakehouse has no identity.
        ConfigurationError: no table is selected.
    """
    identity = lake.identity
    if identity is None:
        raise PermanentError("back up: this lakehouse has no identity", hint="run 'dp init'")
    ttl_ms = lake.settings.repository.lease_seconds * 1000
    owner = owner_text(run_id)
    with (
        _only_one(lake.settings, repository, owner=owner, ttl_ms=ttl_ms) as (leases, heartbeat),
        opened_index(lake.settings, repository) as index,
    ):
        known = KnownFiles(repository, index)
        parts = Parts(
            target=Target(repository, Points(repository), index, known, leases),
            files=files or lake.files,
            wanted=wanted,
            heartbeat=heartbeat,
            sleep=time.sleep,
            progress=progress or NobodyWatches(),
        )
        making = PointMaking(lake, parts, identity=identity, owner=owner, ttl_ms=ttl_ms)
        return _recorded(lake, making, run_id=run_id)


@contextmanager
def _only_one(
    settings: Settings, repository: Repository, *, owner: str, ttl_ms: int
) -> Generator[tuple[Leases, Heartbeat], None, None]:
    """The repository's leases, of which that of backups is held, and what renews it."""
    leases, wait_ms = leases_of(repository.store), settings.leases.wait_seconds * 1000
    with (
        held_lease(leases, BACKUP_LEASE, owner=owner, ttl_ms=ttl_ms, wait_ms=wait_ms) as lease,
        renewed(leases, lease, ttl_ms=ttl_ms, now_ms=now_ms) as heartbeat,
    ):
        yield leases, heartbeat


def _recorded(lake: Lakehouse, making: PointMaking, *, run_id: str) -> BackupOutcome:
    """Make the point; a row about it waits in the spool however that ends."""
    started_ms = now_ms()
    try:
        outcome = making.run()
    except LakeError as error:
        row = failed_row(
            started_at_ms=started_ms, finished_at_ms=now_ms(), problem=error.what, run_id=run_id
        )
        quietly("keep the outcome", lambda: lake.spool.add(RECOVERY_POINTS.table, [row]))
        raise
    row = point_row(
        outcome.manifest, outcome.record, sampled_files=outcome.sampled_files, run_id=run_id
    )
    problem = quietly("keep the outcome", lambda: lake.spool.add(RECOVERY_POINTS.table, [row]))
    return replace(outcome, warnings=(*outcome.warnings, problem)) if problem else outcome
