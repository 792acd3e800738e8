"""A process to be traced: it backs a lakehouse up and restores it, with and without the barrier.

Argument: an existing folder. ``phase-<name>`` is made in it before each phase.
"""

import os
import sys
from pathlib import Path

from dp_assets.adapters.objects import lake_files, object_store_local
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.usecases.backup.backups import append, backup, lakehouse

PHASES = ("backup", "restore", "backup-not-settled", "restore-not-settled")


def main(folder: Path) -> None:
    (folder / "lake").mkdir()
    settings = lakehouse(folder / "lake")
    for phase in PHASES:
        append(settings, first=100 * len(phase))
        (folder / f"phase-{phase}").mkdir()
        if phase.endswith("not-settled"):
            object_store_local.sync_whole = lake_files.sync_whole = lambda folder: None
        if phase.startswith("backup"):
            backup(settings)
        else:
            repository = open_for_reading(settings)
            target = find_target([str(folder / phase)], load_settings())
            restore(repository, target, plan_restore(repository, target, Wanted()))


if __name__ == "__main__":
    os.environ.pop("DP_CONFIG", None)
    main(Path(sys.argv[1]))
