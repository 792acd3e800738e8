"""A process to be traced: it writes a table as it is, then with each kind of fsync taken out.

Argument: an existing folder. ``phase-<name>`` is made in it before each phase.
"""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from dp_assets_tests.adapters.orders import MONDAY, OTHER_RUN, TUESDAY, WEDNESDAY, Lake, orders

PHASES = ("created", "as-it-is", "files-not-synced", "folders-not-synced")
fsync = os.fsync


def without(kind: Callable[[int], bool]) -> Callable[[int], None]:
    """``os.fsync`` for everything but this kind of file."""

    def sync(descriptor: int) -> None:
        if not kind(os.fstat(descriptor).st_mode):
            fsync(descriptor)

    return sync


def write(folder: Path, phase: str) -> None:
    (folder / f"phase-{phase}").mkdir()
    lake = Lake(folder)
    lake.put(MONDAY, [len(phase)], run=OTHER_RUN)
    lake.close()


def main(folder: Path) -> None:
    write(folder, "created")
    lake = Lake(folder)
    lake.table().overwrite(
        pa.concat_tables([orders(MONDAY, [1]), orders(TUESDAY, [2]), orders(WEDNESDAY, [3])])
    )
    write(folder, "as-it-is")
    os.fsync = without(stat.S_ISREG)
    write(folder, "files-not-synced")
    os.fsync = without(stat.S_ISDIR)
    write(folder, "folders-not-synced")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
