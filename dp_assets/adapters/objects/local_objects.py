"""Local files of any size, written in bounded memory and whole under their name or not at all.

The bytes go to a temporary file on the same file system. Once synced it gets its name, by link
(create) or rename (replace), and then the folder is synced. Of many files that count only together
none is synced by itself: whoever needs them has the file system synced before.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from dp_assets.adapters.local_files import make_folders, sync_folder
from dp_assets.adapters.objects.file_errors import file_error
from dp_assets.adapters.objects.file_systems import can_sync_whole
from dp_assets.adapters.objects.large_file import LargeFile, PagePool
from dp_assets.core.errors import TransientError
from dp_assets.core.guards import unguarded

# Larger files are written to the disk while others are read. Smaller ones stay in memory until
# they get their name: that of an object is known only then, and perhaps it is stored already.
LARGE_BYTES = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class LocalWriter:
    """A file that may get a name. Use in a ``with``, after which there is nothing else left of it.

    Args:
        temporary: where the bytes wait; the folder is made.
        pool: memory for large files.
        past_cache: a large file need not be in the page cache afterwards.
    """

    def __init__(self, temporary: str, pool: PagePool, *, past_cache: bool = False) -> None:
        self._temporary = temporary
        self._pool = pool
        self._past_cache = past_cache
        self._pieces: list[bytes] = []
        self._size = 0
        self._large: LargeFile | None = None
        self._descriptor = -1
        self._is_there = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if self._is_there:
            try:
                os.unlink(self._temporary)  # noqa: PTH108 - of each of many thousands of files
            except FileNotFoundError:
                pass
            except OSError as problem:
                raise file_error(problem, doing="delete", path=self._temporary) from problem

    def write(self, data: bytes, /) -> int:
        self._size += len(data)
        if self._size < LARGE_BYTES:
            self._pieces.append(bytes(data))
            return len(data)
        try:
            if self._large is None:
                self._open()
                self._large = LargeFile(self._descriptor, self._pool, past_cache=self._past_cache)
                for piece in self._pieces:
                    self._large.write(piece)
                self._pieces.clear()
            self._large.write(data)
        except OSError as error:
            raise file_error(error, doing="write", path=self._temporary) from error
        return len(data)

    def flush(self) -> None:
        """What is held back is small; it is written when the file gets its name."""

    def place(
        self,
        target: str,
        *,
        replace: bool,
        durable: bool = True,
        guard: Callable[[], None] = unguarded,
    ) -> bool:
        """Give the file its name; False when that is taken and not to be replaced.

        Without ``durable`` it need not outlive a power cut before the file system is synced. What
        replaces a file is durable in any case: somebody may rely on what was there. ``guard`` is
        asked when only the name is missing; what it raises is raised.

        Raises TransientError when the temporary file or the folder of ``target`` is gone.
        """
        try:
            durable = durable or not can_sync_whole() or (replace and os.path.lexists(target))
            self._write_rest()
            # What waits in memory against the wish of who writes it would all wait for the end.
            waits = self._past_cache and self._large and not self._large.is_past_cache
            if durable or waits:
                os.fsync(self._descriptor)
            self._close()
            guard()
            if replace:
                os.rename(self._temporary, target)  # noqa: PTH104
                self._is_there = False
            else:
                os.link(self._temporary, target)
            if durable:
                sync_folder(Path(target).parent)
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

    def _open(self) -> None:
        try:
            self._descriptor = _created(self._temporary)
        except FileExistsError as error:  # not to be taken for a taken name of the target
            raise TransientError(
                f"write {self._temporary}: it is there already", hint="run it again"
            ) from error
        self._is_there = True

    def _write_rest(self) -> None:
        if self._large:
            self._large.finish()
            return
        self._open()
        view = memoryview(b"".join(self._pieces))
        while view:  # one call takes a part only when the disk is nearly full or a signal comes
            view = view[os.write(self._descriptor, view) :]

    def _close(self) -> None:
        if self._large:
            self._large.close()
        elif self._descriptor >= 0:
            os.close(self._descriptor)
        self._large, self._descriptor = None, -1


def write_new(path: str, content: bytes) -> None:
    """A small file under its name at once: a kill may leave a part of it, an error does not.

    For what counts only after the file system was synced. Raises OSError.
    """
    descriptor = _created(path)
    try:
        done = os.write(descriptor, content)
        while done < len(content):  # the disk is nearly full, or a signal came
            done += os.write(descriptor, content[done:])
    except BaseException:
        os.unlink(path)  # noqa: PTH108
        raise
    finally:
        os.close(descriptor)


def _created(path: str) -> int:
    """A new empty file, open for writing; its folder is made."""
    try:
        descriptor = os.open(path, _NEW, 0o666)
    except FileNotFoundError:
        make_folders(Path(path).parent)
        descriptor = os.open(path, _NEW, 0o666)
    # Linux gives finer times to files whose time somebody asked for (6.13: multigrain timestamps).
    # Else two that replace each other within 4 ms have one time, and look like one version.
    os.fstat(descriptor)
    return descriptor
