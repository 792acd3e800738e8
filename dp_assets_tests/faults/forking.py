"""Children of one warm process that are killed at a chosen moment; imports are paid once.

A child counts what Python calls and returns, in all threads, from its first write on; or only the
calls that touch the disk. At the chosen number it tells the parent, which kills it there and then:
wherever it has come to by then, often within an fsync or a commit of SQLite. No sleep, no clock.
"""

import mmap
import os
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

SHARED_BYTES = 4096
DISK_CALLS = frozenset({"open", "flush", "fsync", "mkdir", "execute", "commit"})
COUNT = struct.Struct("<q")


class Moments:
    """The child's clock. It starts with :meth:`first_write`."""

    def __init__(self, shared: mmap.mmap, *, at: int | None, only_disk: bool, tell: int) -> None:
        self._shared = shared
        self._at = at
        self._only_disk = only_disk
        self._tell = tell
        self._count = 0

    def first_write(self) -> None:
        """From here on the child may be killed."""
        if not sys.getprofile():
            threading.setprofile(self._tick)
            sys.setprofile(self._tick)

    def killed_here(self) -> NoReturn:
        """The end, as by ``kill -9``, at exactly this line."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def _tick(self, frame: FrameType, event: str, argument: object) -> None:
        called = argument.__name__ if event == "c_call" else ""  # pyright: ignore[reportAttributeAccessIssue]
        if self._only_disk and called not in DISK_CALLS:
            return
        self._count += 1
        COUNT.pack_into(self._shared, 0, self._count)
        if self._count == self._at:
            code = frame.f_code
            where = f"{called} in {code.co_name} ({code.co_filename.rpartition('/')[2]})"
            self._shared[COUNT.size :] = where.encode().ljust(SHARED_BYTES - COUNT.size, b"\0")
            os.write(self._tell, b"k")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended; ``moments`` were counted, ``where`` it was at the chosen one."""

    status: int
    moments: int
    where: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


Work = Callable[[Moments], None]


def run_child(work: Work, *, kill_at: int | None = None, only_disk: bool = False) -> Ended:
    """Run ``work`` in a fork of this process, and kill it at moment ``kill_at``.

    Args:
        work: says when it writes first.
        kill_at: which of the counted moments; None lets it end.
        only_disk: count only calls that touch the disk.
    """
    shared = mmap.mmap(-1, SHARED_BYTES)
    listen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(listen)
        _be_child(work, Moments(shared, at=kill_at, only_disk=only_disk, tell=tell))
    os.close(tell)
    with os.fdopen(listen, "rb", buffering=0) as told:
        if told.read(1):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    where = shared[COUNT.size :].rstrip(b"\0").decode()
    return Ended(os.waitstatus_to_exitcode(status), COUNT.unpack_from(shared)[0], where)


def in_child(work: Work) -> int:
    """Run ``work`` in a fork of this process, whose pid is returned; its moments do not count."""
    child = os.fork()
    if child == 0:
        shared = mmap.mmap(-1, SHARED_BYTES)
        _be_child(work, Moments(shared, at=None, only_disk=False, tell=sys.stderr.fileno()))
    return child


def must_run(work: Work, *, only_disk: bool = False) -> Ended:
    """Like :func:`run_child`, of work that has to succeed."""
    ended = run_child(work, only_disk=only_disk)
    if ended.status != 0:
        raise RuntimeError(f"a child ended with {ended.status}; its traceback is above")
    return ended


def _be_child(work: Work, moments: Moments) -> NoReturn:
    status = 1
    try:
        work(moments)
        status = 0
    except BaseException:  # noqa: BLE001 - the boundary of a process: it is all printed
        traceback.print_exc()
    finally:
        sys.setprofile(None)
        sys.stderr.flush()
        os._exit(status)
