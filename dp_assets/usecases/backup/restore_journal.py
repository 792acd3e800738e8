"""What a restore wrote down before it began: the plan that `--resume` finishes; and the trash.

The journal is a file in the target's state folder. It is there from before the first table file
until after the last table was registered. The trash journal keeps, for ever, the pointers of
tables that a restored one took the place of: their files are where they were.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.catalogs import address
from dp_assets.adapters.local_files import make_folders, replace_file, sync_folder
from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup.documents import checked, to_json, unchecked
from dp_assets.domains.backup.restore_plan import RestorePlan

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.restore_target import Target


@dataclass(frozen=True, slots=True)
class Replaced:
    """A table whose name now means another metadata file."""

    at_ms: int
    table: str
    old_pointer: str
    new_pointer: str
    why: str


class RestoreJournal:
    """The unfinished restore into one target, if there is one."""

    def __init__(self, target: Target) -> None:
        place = f"{address(target.settings.catalog.uri)} {target.warehouse}"
        name = hashlib.sha256(place.encode()).hexdigest()[:12]
        self.path = target.settings.state_dir / "restores" / f"{name}.json"

    def read(self) -> RestorePlan | None:
        """The plan that was begun and not finished. Raises DamagedObjectError."""
        if not self.path.exists():
            return None
        return unchecked(RestorePlan, self.path.read_bytes(), about=str(self.path))

    def require_none(self) -> None:
        """Raises ConfigurationError when a restore was begun and not finished."""
        if begun := self.read():
            raise ConfigurationError(
                f"a restore of recovery point {begun.point} into this place was not finished",
                hint=f"--resume finishes it; to give it up, delete {self.path} and what it wrote",
            )

    def begin(self, plan: RestorePlan) -> None:
        """Durable when it returns."""
        replace_file(self.path, checked(plan))

    def finish(self) -> None:
        """Nothing is left to resume."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)


def trash_journal(settings: Settings) -> Path:
    """One line of JSON per replaced pointer."""
    return settings.state_dir / "trash" / "replaced-pointers.jsonl"


def record_replaced(settings: Settings, replaced: Replaced) -> None:
    """Write the line before the pointer moves; durable when it returns."""
    path = trash_journal(settings)
    make_folders(path.parent)
    with path.open("ab") as file:
        file.write(to_json(replaced) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
