"""Objects as files below a folder: ``<root>/<key>``; uploads on their way are in ``tmp`` there.

Safe for many processes on one machine, and on a network file system that knows hard links. A
symbolic link below the root is never followed. What a kill leaves behind is in ``tmp/`` only.
"""

import os
import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, make_folders
from dp_assets.adapters.objects.file_errors import file_errors
from dp_assets.adapters.objects.file_systems import sync_whole
from dp_assets.adapters.objects.local_objects import LocalReader, LocalWriter, opened, written
from dp_assets.adapters.objects.object_keys import is_key, require_key, require_prefix
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.object_store import MissingObjectError, ObjectInfo, ObjectStore

UPLOADS = "tmp"


class LocalObjectStore(ObjectStore):
    """A folder as object store; it is made by the first write.

    Args:
        root: the folder; a symbolic link in this path itself is followed.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._known: set[Path] = set()

    @property
    def address(self) -> str:
        return str(self._root)

    def create(self, key: str, content: bytes) -> bool:
        return self._store(key, content, replace=False)

    def put(self, key: str, content: bytes) -> None:
        self._store(key, content, replace=True)

    @contextmanager
    def upload(self) -> Generator["LocalUpload", None, None]:
        with written(self._root / UPLOADS / f"{secrets.token_hex(8)}{TEMPORARY_SUFFIX}") as writer:
            yield LocalUpload(self, writer)

    def read(self, key: str) -> bytes:
        path = self._path(key)
        with self._opened(path) as reader:
            return reader.read(-1)

    def open(self, key: str) -> AbstractContextManager[LocalReader]:
        return self._opened(self._path(key))

    def size(self, key: str) -> int | None:
        path = self._path(key)
        try:
            self._require_inside(path.parent)
            with file_errors("read", path):
                found = path.lstat()
        except MissingObjectError:
            return None
        return found.st_size if S_ISREG(found.st_mode) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        folder = require_prefix(prefix).rpartition("/")[0]
        self._require_inside(self._root / folder)
        yield from _walk(self._root, f"{folder}/" if folder else "", prefix)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            self._require_inside(path.parent)
            with file_errors("delete", path):
                path.unlink(missing_ok=True)

    def settle(self) -> None:
        sync_whole(self._root)

    def place(self, writer: LocalWriter, key: str, *, replace: bool, durable: bool = True) -> bool:
        """Give the bytes of ``writer`` the name ``key``; False when it is taken."""
        path = self._path(key)
        if path.parent not in self._known:
            self._require_inside(path.parent)
            with file_errors("write", path):
                make_folders(path.parent)
            self._known.add(path.parent)
        try:
            return writer.place(path, replace=replace, durable=durable)
        except TransientError:
            self._known.discard(path.parent)  # perhaps it was removed: make it again next time
            raise

    def _store(self, key: str, content: bytes, *, replace: bool) -> bool:
        self._path(key)  # nothing is written for a wrong key
        with self.upload() as upload:
            upload.write(content)
            return self.place(upload.writer, key, replace=replace)

    @contextmanager
    def _opened(self, path: Path) -> Generator[LocalReader, None, None]:
        self._require_inside(path.parent)
        with opened(path, flags=os.O_NOFOLLOW) as reader:
            yield reader

    def _path(self, key: str) -> Path:
        if require_key(key).startswith(f"{UPLOADS}/"):
            raise PermanentError(f"{key!r} is not a key", hint=f"{UPLOADS}/ is for uploads")
        return self._root / key

    def _require_inside(self, folder: Path) -> None:
        """Raises PermanentError when a symbolic link leads ``folder`` elsewhere."""
        if folder in self._known:
            return
        with file_errors("read", folder):
            real = Path(os.path.realpath(folder))
        if real != folder:
            raise PermanentError(
                f"{folder} leads to {real} by a symbolic link",
                hint="a repository keeps everything in its own folder; remove the link",
            )
        if folder.is_dir():
            self._known.add(folder)


class LocalUpload:
    """An object on its way to a folder."""

    def __init__(self, store: LocalObjectStore, writer: LocalWriter) -> None:
        self._store = store
        self.writer = writer
        self.write = writer.write
        self.flush = writer.flush

    def commit(self, key: str, *, replace: bool = False, durable: bool = True) -> None:
        self._store.place(self.writer, key, replace=replace, durable=durable)


def remove_leftovers(root: Path, *, before_ms: int) -> tuple[Path, ...]:
    """Delete uploads that nobody has written to since ``before_ms`` (Unix epoch); what was deleted.

    An upload that is still alive then fails with TransientError: choose a day, not a minute.
    """
    removed: list[Path] = []
    with file_errors("delete", root / UPLOADS):
        uploads = root / UPLOADS
        for path in sorted(uploads.iterdir()) if uploads.is_dir() else []:
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime_ns < before_ms * 1_000_000:
                    path.unlink()
                    removed.append(path)
    return tuple(removed)


def _walk(root: Path, folder: str, prefix: str) -> Iterator[ObjectInfo]:
    """What is below ``folder`` ("" or ending in a slash), in the order of whole keys."""
    for key, entry in _entries(root, folder):
        if not (key.startswith(prefix) or prefix.startswith(key)):
            continue
        if key.endswith("/"):
            yield from _walk(root, key, prefix)
            continue
        with suppress(MissingObjectError), file_errors("read", entry.path):
            found = entry.stat(follow_symlinks=False)
            yield ObjectInfo(key, found.st_size, found.st_mtime_ns // 1_000_000)


def _entries(root: Path, folder: str) -> list[tuple[str, os.DirEntry[str]]]:
    """Keys of files and, with a slash, of folders; nothing else can be an object."""
    found: list[tuple[str, os.DirEntry[str]]] = []
    with (
        suppress(MissingObjectError),
        file_errors("read", root / folder),
        os.scandir(root / folder) as entries,
    ):
        for entry in entries:
            key = folder + entry.name
            if not is_key(key) or key == UPLOADS:
                continue
            if entry.is_dir(follow_symlinks=False):
                found.append((f"{key}/", entry))
            elif entry.is_file(follow_symlinks=False):
                found.append((key, entry))
    # With the slash a folder sorts as its keys do: "a-b" before "a/b".
    return sorted(found, key=lambda one: one[0])
