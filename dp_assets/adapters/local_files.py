"""Small local files that are on the disk, whole, before the call returns.

A file appears under its name complete or not at all: the bytes go to a temporary file in the same
folder, are synced, and only then get the name, by rename (replace) or by link (create if absent).
A name is durable once its folder is synced, a new folder once its parent is. What a kill leaves
behind ends in ``TEMPORARY_SUFFIX`` and may be deleted.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

TEMPORARY_SUFFIX = ".tmp"


def local_path(location: str) -> Path | None:
    """The local path of ``location`` (``/x``, ``file:/x``, ``file:///x``), None for other schemes.

    Percent signs are kept: PyIceberg and Spark write them literally into local paths.
    """
    name = local_name(location)
    return None if name is None else Path(name)


def local_name(location: str) -> str | None:
    """As :func:`local_path`; making a ``Path`` costs more than opening the file."""
    if location.startswith("/"):
        return location
    scheme = "file" if location.startswith("file:/") else urlsplit(location).scheme
    if not scheme:
        return location
    return "/" + location[len("file:") :].lstrip("/") if scheme == "file" else None


def is_local(location: str) -> bool:
    """Whether ``location`` is on this machine's disks, by its spelling."""
    # Asked several times for each of many thousands of files: the common cases without parsing.
    return location.startswith(("/", "file:/")) or local_path(location) is not None


def sync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Create ``folder`` and the missing ones above it, each synced into its parent."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Make ``content`` the whole content of ``path``, new or not; its folders are made."""
    with _synced_temporary(path, content) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes) -> bool:
    """Create ``path`` with ``content`` unless the name is taken; False when it was.

    Of any number of processes that call this for one path, exactly one gets True. The file system
    must know hard links (all common local ones and NFS do).
    """
    with _synced_temporary(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def move_file(source: Path, target: Path) -> None:
    """Rename within one file system, replacing ``target``; both folders are synced."""
    make_folders(target.parent)
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def is_temporary(name: str) -> bool:
    """Whether a file is one that was being written here when its process ended."""
    return name.startswith(".") and name.endswith(TEMPORARY_SUFFIX)


@contextmanager
def _synced_temporary(path: Path, content: bytes) -> Generator[Path, None, None]:
    """A complete file beside ``path`` under a name of its own, gone afterwards."""
    make_folders(path.parent)
    # A fixed length, so that a path whose name is as long as allowed still has a temporary name.
    temporary = path.parent / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
