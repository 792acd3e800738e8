"""A process to be traced: it restores everything and reads it, whole and in its past.

Arguments: the repository, the folder to restore to.
"""

import sys
from pathlib import Path

from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.repositories import open_at
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.usecases.backup.readings import by_duckdb, by_pyiceberg
from dp_assets_tests.usecases.backup.shops import tables_in


def main(repository: str, folder: str) -> None:
    target = find_target([folder], load_settings())
    source = open_at(repository)
    restore(source, target, plan_restore(source, target, Wanted()))
    for pointer in tables_in(target).values():
        by_pyiceberg(pointer)
        by_duckdb(pointer, Path(folder) / "state" / "tmp")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
