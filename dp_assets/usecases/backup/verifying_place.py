"""`dp verify` and `backup/verification`: a place opened, verified, and mended when asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.verification import Broken, Damage, Share, Verified
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.usecases.backup.mending import mend
from dp_assets.usecases.backup.places import open_address, opened_place
from dp_assets.usecases.backup.verifying import Verification, verify

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.settings import Settings

REREAD_DAYS = 30  # where no settings say otherwise
WORKERS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; without an address it is the repository of the settings."""

    repository: str = ""
    key_files: tuple[Path, ...] = ()
    point: int | None = None
    full: bool = False
    mend_from: str = ""


def verify_place(
    settings: Settings | None, asked: Asked, *, progress: BackupProgress | None = None
) -> Verified:
    """Verify, then put back what is damaged from the replica that ``mend_from`` names.

    Raises:
        ConfigurationError: there is no repository, no such point, or no readable key file.
        PermanentError: the replica is another repository.
        TransientError: a store does not answer.
    """
    share = Share(
        now_ms(), settings.recovery.reread_days if settings else REREAD_DAYS, full=asked.full
    )
    workers = settings.backup.workers if settings else WORKERS
    replica = open_address(settings, asked.mend_from) if asked.mend_from else None
    try:
        with opened_place(settings, asked.repository, key_files=asked.key_files) as place:
            repository, index = place
            found = verify(
                repository, index, Verification(share, asked.point, workers), progress=progress
            )
            if replica is None or found.is_whole:
                return found
            mended = mend(repository, replica, found.damages, index, now_ms=now_ms())
    except DamagedObjectError as error:
        return _unopened(error)
    damages = [replace(d, mended=d.mended or d.key in mended) for d in found.damages]
    further = sorted(mended.difference(damage.key for damage in damages))
    damages += [Damage(key, "what describes it was damaged, too", mended=True) for key in further]
    return replace(found, damages=tuple(damages))


def _unopened(error: DamagedObjectError) -> Verified:
    """Both copies of the description are damaged: that is a finding, and nothing else is known."""
    everything = (Broken(0, "", "the whole repository"),)
    what = f"{error.what}, and so does its copy"
    damages = (Damage(layout.DESCRIPTION, what, breaks=everything),)
    return Verified(0, 0, 0, 0, 0, 0, 0, (), damages, explained=True)
