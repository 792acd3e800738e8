"""All that was written to a file system on the disk at once: one call instead of two per file."""

import ctypes
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from dp_assets.adapters.objects.file_errors import file_errors

# Before that version syncfs(2) kept errors of writing to itself: man 2 syncfs, "BUGS".
LINUX = (5, 8)


def can_sync_whole() -> bool:
    """Whether :func:`sync_whole` works here; else every file is synced by itself."""
    return _syncfs() is not None


def sync_whole(folder: Path) -> None:
    """Everything on the file system of ``folder`` is durable when this returns, whoever wrote it.

    Raises TransientError or PermanentError when something could not be written.
    """
    call = _syncfs()
    if call is None or not folder.is_dir():
        return
    with file_errors("sync", folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if call(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)


@cache
def _syncfs() -> Any:
    """The system's call, None where it is not or does not tell of errors."""
    if sys.platform != "linux":
        return None
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if version is None or (int(version[1]), int(version[2])) < LINUX:
        return None
    # It is not in Python's os module; while it runs, ctypes lets other threads go on.
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
