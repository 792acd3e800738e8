"""Objects as files below a folder: ``<root>/<key>``; uploads on their way are in ``tmp`` there.

Safe for many processes on one machine, and on a network file system that knows hard links. A
symbolic link below the root is never followed. What a kill leaves behind is in ``tmp/`` only.
"""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from stat import S_ISREG

from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, make_folders, sync_folder
from dp_assets.adapters.objects.file_errors import file_errors
from dp_assets.adapters.objects.file_systems import can_sync_whole, sync_whole
from dp_assets.adapters.objects.large_file import PagePool
from dp_assets.adapters.objects.local_objects import LocalWriter
from dp_assets.adapters.objects.local_reader import LocalReader
from dp_assets.adapters.objects.object_keys import is_key, require_key, require_prefix
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.guards import unguarded
from dp_assets.ports.object_store import MissingObjectError, ObjectInfo, ObjectStore

UPLOADS = "tmp"


class LocalObjectStore(ObjectStore):
    """A folder as object store; it is made by the first write.

    Args:
        root: the folder; a symbolic link in this path itself is followed.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._known: set[str] = set()  # folders that are there and lead nowhere else
        # Of uploads on their way: unlike those of any other process.
        self._temporary = f"{self._root}/{UPLOADS}/{secrets.token_hex(8)}"
        self._uploads = count()
        self._pool = PagePool()
        self._durable: set[str] = set()  # folders whose own names no power cut takes

    @property
    def address(self) -> str:
        return str(self._root)

    def create(self, key: str, content: bytes) -> bool:
        return self._store(key, content, replace=False)

    def put(self, key: str, content: bytes, *, guard: Callable[[], None] = unguarded) -> None:
        self._store(key, content, replace=True, guard=guard)

    def upload(self) -> "LocalUpload":
        temporary = f"{self._temporary}-{next(self._uploads)}{TEMPORARY_SUFFIX}"
        return LocalUpload(self, temporary, self._pool)

    def read(self, key: str) -> bytes:
        with self.open(key) as reader:
            return reader.read(-1)

    def open(self, key: str) -> LocalReader:
        path = self._path(key)
        self._require_inside(path)
        return LocalReader(path, flags=os.O_NOFOLLOW)

    def size(self, key: str) -> int | None:
        path = self._path(key)
        try:
            self._require_inside(path)
            with file_errors("read", path):
                found = os.lstat(path)
        except MissingObjectError:
            return None
        return found.st_size if S_ISREG(found.st_mode) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        folder = require_prefix(prefix).rpartition("/")[0]
        self._require_inside(f"{self._root}/{folder}/" if folder else f"{self._root}/")
        yield from _walk(self._root, f"{folder}/" if folder else "", prefix)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            self._require_inside(path)
            with file_errors("delete", path):
                Path(path).unlink(missing_ok=True)

    def settle(self) -> None:
        sync_whole(self._root)

    def place(
        self,
        writer: LocalWriter,
        key: str,
        *,
        replace: bool,
        durable: bool = True,
        guard: Callable[[], None] = unguarded,
    ) -> bool:
        """Give the bytes of ``writer`` the name ``key``; False when it is taken."""
        path = self._path(key)
        folder = path.rpartition("/")[0]
        if folder not in self._known:
            self._require_inside(path)
            with file_errors("write", path):
                _make(Path(folder))
            self._known.add(folder)
        if folder not in self._durable and (durable or not can_sync_whole()):
            with file_errors("write", path):
                sync_folder(Path(folder).parent)
            self._durable.add(folder)
        try:
            return writer.place(path, replace=replace, durable=durable, guard=guard)
        except TransientError:
            self._known.discard(folder)  # perhaps it was removed: make it again next time
            raise

    def _store(
        self,
        key: str,
        content: bytes,
        *,
        replace: bool,
        guard: Callable[[], None] = unguarded,
    ) -> bool:
        self._path(key)  # nothing is written for a wrong key
        with self.upload() as upload:
            upload.write(content)
            return self.place(upload, key, replace=replace, guard=guard)

    def _path(self, key: str) -> str:
        if require_key(key).startswith(f"{UPLOADS}/"):
            raise PermanentError(f"{key!r} is not a key", hint=f"{UPLOADS}/ is for uploads")
        return f"{self._root}/{key}"

    def _require_inside(self, path: str) -> None:
        """Raises PermanentError when a symbolic link leads the folder of ``path`` elsewhere."""
        folder = path.rpartition("/")[0]
        if folder in self._known:
            return
        with file_errors("read", folder):
            real = os.path.realpath(folder)
        if real != folder:
            raise PermanentError(
                f"{folder} leads to {real} by a symbolic link",
                hint="a repository keeps everything in its own folder; remove the link",
            )
        if os.path.isdir(folder):  # noqa: PTH112
            self._known.add(folder)


class LocalUpload(LocalWriter):
    """An object on its way to a folder."""

    def __init__(self, store: LocalObjectStore, temporary: str, pool: PagePool) -> None:
        super().__init__(temporary, pool, past_cache=True)
        self._store = store

    def commit(self, key: str, *, replace: bool = False, durable: bool = True) -> None:
        self._store.place(self, key, replace=replace, durable=durable)


def _make(folder: Path) -> None:
    """The last folder is not synced: 256 of them cost as much as a thousand objects."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)


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
