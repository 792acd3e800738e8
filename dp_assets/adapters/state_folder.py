"""Making the folders and files of a lakehouse, with the errors of a folder that is not ours."""

import getpass
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dp_assets.adapters.local_files import create_file, make_folders
from dp_assets.core.errors import ConfigurationError


def make_folder(folder: Path) -> bool:
    """Make ``folder`` and those above it; False when it was there.

    Raises ConfigurationError when this user may not, or when something else has its name.
    """
    with _permitted("make", folder):
        if folder.is_dir():
            return False
        make_folders(folder)
    return True


def make_file(path: Path, content: bytes) -> bool:
    """Make ``path`` with ``content``; False, and untouched, when it was there.

    Raises ConfigurationError when this user may not.
    """
    with _permitted("make", path):
        return not path.exists() and create_file(path, content)


def is_there(path: Path) -> bool:
    """Whether ``path`` exists and may be read.

    Raises ConfigurationError when this user may not know, or may not read it.
    """
    with _permitted("read", path):
        if not path.exists():
            return False
        path.open("rb").close()
    return True


@contextmanager
def _permitted(doing: str, path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{doing} {path}: {error.strerror or error}",
            hint=f"user {_user()} must be able to; choose another folder with 'state:' in"
            " lakehouse.yaml or DP_STATE, or change its permissions",
        ) from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())
