"""Starts :mod:`dp_assets_tests.adapters.file_opener` for the length of a block."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def other_process(how: str, path: Path) -> Generator[int, None, None]:
    """The pid of a process that has ``path`` open, or locked by the SQL ``how``."""
    module = "dp_assets_tests.adapters.file_opener"
    process = subprocess.Popen(
        [sys.executable, "-m", module, how, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.communicate()
