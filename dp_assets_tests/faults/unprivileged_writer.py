"""A process that writes as a user without privileges, since root is denied nothing.

Arguments: a folder of its own, then folders of lakehouses. Prints a JSON list: the error each gave.
"""

import json
import os
import sys
from pathlib import Path

from dp_assets.core.errors import LakeError
from dp_assets_tests.adapters.orders import MONDAY, OTHER_RUN, Lake
from dp_assets_tests.faults.forking import Moments, must_run
from dp_assets_tests.faults.killed_writer import warm_up

NOBODY = 65534


def drop_privileges() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def error_of(folder: Path) -> tuple[str, str]:
    try:
        with Lake(folder) as lake:
            lake.put(MONDAY, [7], run=OTHER_RUN)
    except LakeError as error:
        return type(error).__name__, str(error)
    return "", ""


def main(own: Path, folders: list[Path]) -> None:
    # What is imported later might be out of reach: the interpreter may be in root's home.
    warm_up(own / "warm")

    def work(_: Moments) -> None:
        drop_privileges()
        sys.stdout.write(json.dumps([error_of(folder) for folder in folders]))
        sys.stdout.flush()

    must_run(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
