"""Metastore dumps: made, checked at once, kept for a while, and brought back next door."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.metastore.dump_folder import read_record, write_check
from dp_assets.adapters.metastore.dump_store import new_folder, remove_dump, stored_dumps
from dp_assets.adapters.metastore.metastores import check_apart, metastore_for, restore_to
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.dump_retention import KnownDump, plan_retention
from dp_assets.ports.metastore import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dp_assets.adapters.metastore.dump_store import StoredDump
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.metastore import DumpCheck, Dumped, Metastore, Progress
    from dp_assets.settings import Settings

FOLDER = "dumps"


@dataclass(frozen=True, slots=True)
class DumpDone:
    """A dump that was made and checked; ``removed`` names the old ones that made room.

    Attributes:
        seconds: of the dump alone.
        check_seconds: of loading it into a scratch and comparing.
    """

    folder: Path
    dumped: Dumped
    check: DumpCheck
    removed: tuple[str, ...]
    seconds: float
    check_seconds: float


def dumps_folder(settings: Settings) -> Path:
    """Where the dumps of this lakehouse are."""
    return settings.dumps_dir


def metastore_of(lake: Lakehouse) -> Metastore:
    """How the catalog of ``lake`` is dumped."""
    settings = lake.settings
    programs = settings.backup.postgres_programs
    return metastore_for(
        lake.catalog,
        uri=settings.catalog.uri,
        now_ms=now_ms,
        bin_dir=Path(programs) if programs else None,
    )


def dump(
    lake: Lakehouse,
    *,
    on_progress: Progress = no_progress,
) -> DumpDone:
    """Dump the catalog, check the dump, keep the outcome beside it, remove what is too old.

    Nothing is removed after a check that failed. Raises as :class:`Metastore`; what a failed dump
    left is removed.
    """
    metastore, started_ms = metastore_of(lake), now_ms()
    keep_days = lake.settings.retention.dump_days
    dumps = dumps_folder(lake.settings)
    folder = new_folder(dumps, now_ms=started_ms, kind=metastore.kind)
    try:
        dumped = metastore.dump(folder, on_progress=on_progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    dumped_ms = now_ms()
    check = metastore.check(folder)
    write_check(folder, check)
    checked_ms = now_ms()
    return DumpDone(
        folder=folder,
        dumped=dumped,
        check=check,
        removed=apply_retention(dumps, keep_days=keep_days, at_ms=checked_ms) if check.good else (),
        seconds=(dumped_ms - started_ms) / 1000,
        check_seconds=(checked_ms - dumped_ms) / 1000,
    )


def list_dumps(settings: Settings) -> tuple[StoredDump, ...]:
    """Every dump, oldest first, with what its last check found; needs no catalog."""
    return stored_dumps(dumps_folder(settings))


def check_dump(folder: Path, *, bin_dir: Path | None = None) -> DumpCheck:
    """Check one dump again and keep the outcome; needs nothing of its lakehouse.

    Raises PermanentError when it is unfinished or its record is damaged.
    """
    check = check_apart(folder, now_ms=now_ms(), bin_dir=bin_dir)
    write_check(folder, check)
    return check


@dataclass(frozen=True, slots=True)
class DumpRestored:
    """What is at the new address; ``left_out`` names what that kind of catalog cannot hold."""

    catalog: str
    tables: int
    taken_at_ms: int
    left_out: tuple[str, ...]


def restore_dump(folder: Path, to_uri: str, *, bin_dir: Path | None = None) -> DumpRestored:
    """Bring a dump back next door, at an address where nothing is yet.

    The tables' files are not touched. The restored catalog carries the lakehouse id and the old
    address, so every verb that destroys refuses there until ``dp init --new-identity``. Leases
    that were held are ended.

    Raises:
        PermanentError: something is there, or the dump is damaged.
        ConfigurationError: no catalog can be there, or PostgreSQL's programs are missing.
    """
    record = read_record(folder)
    left_out = restore_to(folder, to_uri, bin_dir=bin_dir)
    return DumpRestored(record.catalog, record.pointers, record.taken_at_ms, left_out)


def apply_retention(dumps: Path, *, keep_days: int, at_ms: int) -> tuple[str, ...]:
    """Remove what retention does not keep; gives the names."""
    stored = stored_dumps(dumps)
    folders = {dump.folder.name: dump.folder for dump in stored}
    plan = plan_retention(_known(stored), now_ms=at_ms, keep_days=keep_days)
    for old in plan.remove:
        remove_dump(folders[old.name])
    return tuple(old.name for old in plan.remove)


def _known(dumps: Iterable[StoredDump]) -> tuple[KnownDump, ...]:
    return tuple(
        KnownDump(
            name=stored.folder.name,
            taken_at_ms=stored.taken_at_ms,
            finished=stored.finished,
            good=_standing(stored),
        )
        for stored in dumps
    )


def _standing(stored: StoredDump) -> bool | None:
    """A dump whose record is damaged is as bad as one whose check failed."""
    if stored.finished and stored.record is None:
        return False
    return stored.check.good if stored.check else None
