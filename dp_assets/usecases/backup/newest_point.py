"""The newest recovery point of a lakehouse, read back for whoever judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError
from dp_assets.core.units import DAY_MS, iso_utc, now_ms
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.records import POINT, RECOVERY_POINTS
from dp_assets.usecases.backup.previous_lines import kept_file, previous_manifest

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.recovery import PointManifest, PointRecord

RATE_DAYS = 30


@dataclass(frozen=True, slots=True)
class NewestPoint:
    """The newest point; ``before`` is the manifest of the one before it, None for the first."""

    record: PointRecord
    manifest: PointManifest
    before: PointManifest | None


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """Attempts to make a point within the last 30 days, and those that made a complete one."""

    attempts: int
    complete: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.complete / self.attempts


def newest_record(lake: Lakehouse, repository: Repository) -> PointRecord:
    """The public part of the newest point; no key is needed.

    Raises:
        PermanentError: there is none of this lakehouse.
        DamagedObjectError: it is damaged.
    """
    identity = lake.identity
    points = Points(repository)
    for number in reversed(points.numbers()):
        record = points.record(number)
        if identity and record.lakehouse_id == identity.lakehouse_id:
            return record
    raise PermanentError(
        f"{repository.store.address} holds no recovery point of this lakehouse",
        hint="'dp backup' makes one",
    )


def newest_point(lake: Lakehouse, repository: Repository) -> NewestPoint:
    """The newest point whole, and the one before it.

    Raises:
        PermanentError: there is none, or it is sealed and was made on another machine.
    """
    record = newest_record(lake, repository)
    manifest = previous_manifest(
        Points(repository),
        repository,
        kept=kept_file(lake.settings, repository),
        lakehouse_id=record.lakehouse_id,
    )
    if manifest is None or manifest.number != record.number:
        raise PermanentError(
            f"the manifest of recovery point {record.number} cannot be read here",
            hint="give a private key in repository.identity_files, or look where it was made",
        )
    return NewestPoint(record, manifest, _before(repository, record))


def _before(repository: Repository, record: PointRecord) -> PointManifest | None:
    """The point before, where it can be read; without it less can be said of sizes."""
    if not repository.sealing.can_open:
        return None
    points = Points(repository)
    for number in reversed([n for n in points.numbers() if n < record.number]):
        earlier = points.record(number)
        if earlier.lakehouse_id == record.lakehouse_id:
            return points.manifest(earlier)
    return None


def success_rate(lake: Lakehouse) -> SuccessRate:
    """From ``ops.recovery_points``, with the rows that still wait in the spool.

    Raises PermanentError when nothing was tried yet.
    """
    table = RECOVERY_POINTS.table
    since = iso_utc(now_ms() - RATE_DAYS * DAY_MS)
    with lake.reader() as reader:
        lake.attach(reader, [table])
        found = reader.rows(
            f"SELECT count(*), count(*) FILTER (complete) FROM {table} "  # noqa: S608 - our names
            f"WHERE kind = '{POINT}' AND started_at >= TIMESTAMPTZ '{since}'",
            about=table,
        )
    attempts, complete = (int(column[0].as_py()) for column in found.columns)
    if not attempts:
        raise PermanentError(
            f"no backup was tried in {RATE_DAYS} days", hint="materialize backup/recovery_point"
        )
    return SuccessRate(attempts, complete)
