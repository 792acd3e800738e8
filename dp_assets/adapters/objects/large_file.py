"""A large new file on its way to the disk, past the page cache where the file system can.

What a backup writes is not read again soon. Through the page cache it would be copied once more,
would push out what others are reading there, and would wait for the disk at the very end.
"""

import errno
import fcntl
import mmap
import os

from dp_assets.ports.object_store import CHUNK_BYTES

# Position, length and memory of such writes must be multiples of what the disk writes at once:
# open(2), "O_DIRECT". No disk in use has more than 4 KiB, and pages of memory have no less.
BLOCK_BYTES = 4096
O_DIRECT: int = getattr(os, "O_DIRECT", 0)  # Linux alone has it


class PagePool:
    """Pieces of memory that begin where a page does; used again, because new ones are dear.

    Safe for many threads. There are as many as were ever used at once.
    """

    def __init__(self) -> None:
        self._free: list[mmap.mmap] = []

    def take(self) -> mmap.mmap:
        """``CHUNK_BYTES`` of whatever somebody wrote before."""
        try:
            return self._free.pop()
        except IndexError:
            return mmap.mmap(-1, CHUNK_BYTES)

    def give_back(self, pages: mmap.mmap) -> None:
        """For the next one."""
        self._free.append(pages)


class LargeFile:
    """Takes bytes in order, writes them in large pieces. Raises OSError.

    Args:
        descriptor: of an empty file, open for writing; it is closed by :meth:`close`.
        pool: where its memory comes from.
        past_cache: try to go past the page cache.

    Attributes:
        is_past_cache: all but the last bytes went there without waiting in memory.
    """

    def __init__(self, descriptor: int, pool: PagePool, *, past_cache: bool) -> None:
        self._descriptor = descriptor
        self.is_past_cache = past_cache and _set_direct(descriptor, on=True)
        self._pool = pool
        self._pages = pool.take()  # bytes of Python's own begin anywhere
        self._held = 0

    def write(self, data: bytes, /) -> None:
        """Take all of ``data``."""
        view = memoryview(data).cast("B")
        while view:
            taken = min(len(view), CHUNK_BYTES - self._held)
            self._pages[self._held : self._held + taken] = view[:taken]
            self._held += taken
            view = view[taken:]
            if self._held == CHUNK_BYTES:
                self._write_held()

    def finish(self) -> None:
        """Nothing is held back any more; nothing more may be written."""
        self._write_held()

    def close(self) -> None:
        """Also when it is not finished."""
        self._pool.give_back(self._pages)
        os.close(self._descriptor)

    def _write_held(self) -> None:
        done = 0
        with memoryview(self._pages) as pages:
            while done < self._held:
                end = self._held
                if self.is_past_cache and (end - done) % BLOCK_BYTES:
                    end -= (end - done) % BLOCK_BYTES
                    if end == done:  # the last bytes of the file
                        _set_direct(self._descriptor, on=False)
                        end = self._held
                with pages[done:end] as piece:
                    done += self._written(piece)
        self._held = 0

    def _written(self, piece: memoryview) -> int:
        """One call takes a part only when the disk is nearly full or a signal comes."""
        try:
            return os.write(self._descriptor, piece)
        except OSError as error:
            # Some file systems allow it and refuse later, for want of larger blocks.
            if error.errno != errno.EINVAL or not self.is_past_cache:
                raise
            self.is_past_cache = False
            _set_direct(self._descriptor, on=False)
            return 0


def _set_direct(descriptor: int, *, on: bool) -> bool:
    """Whether the file is written past the page cache from now on, as wished."""
    if not O_DIRECT:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, O_DIRECT if on else 0)
    except OSError as error:
        if error.errno != errno.EINVAL:  # tmpfs and the like do not know it
            raise
        return False
    return on
