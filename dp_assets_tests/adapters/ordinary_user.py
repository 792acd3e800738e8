"""Runs one examination as a user without privileges: root is denied nothing.

Started by :func:`as_ordinary_user`. Everything is imported before the privileges are dropped, so
that it works wherever the checkout is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dp_assets.adapters.doctor.doctor_machine import examine_folder
from dp_assets.adapters.doctor.doctor_metadata import examine_metadata
from dp_assets.adapters.doctor.doctor_sqlite import examine_database
from dp_assets.adapters.reading_io import ReadingIO

NOBODY = 65534
EXAMINATIONS: dict[str, Callable[[str], Any]] = {
    "folder": lambda path: examine_folder("state", Path(path)),
    "database": lambda path: examine_database(Path(path), busy_timeout_ms=50),
    "metadata": lambda path: examine_metadata(ReadingIO({}), path),
}


def as_ordinary_user(what: str, path: Path) -> dict[str, Any]:
    """The facts that an examination finds for such a user, by name."""
    command = [sys.executable, "-m", __name__, what, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@contextmanager
def open_folder() -> Generator[Path, None, None]:
    """A folder that every user may enter and read; pytest's are its user's alone."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def main(what: str, path: str) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    found = EXAMINATIONS[what](path)
    facts = {field.name: getattr(found, field.name) for field in fields(found)}
    sys.stdout.write(json.dumps(facts, default=str))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
