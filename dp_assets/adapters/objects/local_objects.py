"""Local files of any size, written in bounded memory and whole under their name or not at all.

The bytes go to a temporary file on the same file system. Once synced it gets its name, by link
(create) or rename (replace), and then the folder is synced. Of many files that count only together
none is synced by itself: whoever needs them has the file system synced before.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dp_assets.adapters.local_files import make_folders, sync_folder
from dp_assets.adapters.objects.file_errors import file_error, file_errors
from dp_assets.adapters.objects.file_systems import can_sync_whole
from dp_assets.core.errors import TransientError
from dp_assets.ports.object_store import CHUNK_BYTES

# Larger files are written to the disk while others are read; of small ones the calls would count.
LARGE_BYTES = 1 << 20


class LocalWriter:
    """A temporary file that may get a name."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._file = _new_file(temporary)
        self._size = 0
        self._is_renamed = False

    def write(self, data: bytes, /) -> int:
        # Unbuffered: who writes large pieces needs no copy of them. One call takes a part only
        # when the disk is nearly full or a signal comes.
        view = memoryview(data).cast("B")
        done = 0
        with file_errors("write", self._temporary):
            while done < len(view):
                done += self._file.write(view[done : done + CHUNK_BYTES]) or 0
        self._size += done
        return done

    def flush(self) -> None:
        """Nothing is held back here."""

    def place(self, target: Path, *, replace: bool, durable: bool = True) -> bool:
        """Give the file its name; False when that is taken and not to be replaced.

        Without ``durable`` it need not outlive a power cut before the file system is synced. What
        replaces a file is durable in any case: somebody may rely on what was there.

        Raises TransientError when the temporary file or the folder of ``target`` is gone.
        """
        try:
            durable = durable or not can_sync_whole() or (replace and os.path.lexists(target))
            if durable or self._size >= LARGE_BYTES:
                os.fsync(self._file.fileno())
            self._file.close()
            if replace:
                self._temporary.replace(target)
                self._is_renamed = True
            else:
                os.link(self._temporary, target)
            if durable:
                sync_folder(target.parent)
        except FileExistsError:
            return False
        except FileNotFoundError as error:
            raise TransientError(
                f"write {target}: its folder or {self._temporary} was removed meanwhile",
                hint="run it again; let nothing else delete files there",
            ) from error
        except OSError as error:
            raise file_error(error, doing="write", path=target) from error
        return True

    def discard(self) -> None:
        """Leave nothing but what :meth:`place` named."""
        self._file.close()
        if not self._is_renamed:
            with file_errors("delete", self._temporary):
                self._temporary.unlink(missing_ok=True)


class LocalReader:
    """A local file being read in order."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int, /) -> bytes:
        with file_errors("read", self._path):
            return self._file.read(size)


@contextmanager
def written(temporary: Path) -> Generator[LocalWriter, None, None]:
    """A new file, gone afterwards unless it was placed; the folder of ``temporary`` is made."""
    writer = LocalWriter(temporary)
    try:
        yield writer
    finally:
        writer.discard()


@contextmanager
def opened(path: Path, *, flags: int = 0) -> Generator[LocalReader, None, None]:
    """Read a file in order. Raises MissingObjectError."""
    with file_errors("read", path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
        # The caller's pieces are large: a buffer would only copy them once more.
        file = os.fdopen(descriptor, "rb", buffering=0)
    with file:
        yield LocalReader(file, path)  # pyright: ignore[reportArgumentType]


def _new_file(temporary: Path) -> BinaryIO:
    with file_errors("write", temporary):
        try:
            return temporary.open("xb", buffering=0)  # pyright: ignore[reportReturnType]
        except FileNotFoundError:
            make_folders(temporary.parent)
            return temporary.open("xb", buffering=0)  # pyright: ignore[reportReturnType]
