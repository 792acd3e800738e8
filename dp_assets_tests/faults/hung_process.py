"""A child that is stopped as by ``kill -STOP``, and goes on when its leases have expired.

No clock is waited for. Who comes after the stop lives :data:`HUNG_MS` later, as does the stopped
process once it goes on: by their own clocks.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass

from dp_assets_tests.faults.forking import Moments, Work, in_child

HUNG_MS = 3_600_000  # longer than any lease lives unless it is renewed


def hang() -> None:
    """Stop this process with all its threads; an hour has passed when this returns."""
    # To this very thread: another one would be stopped first, and this one a little later.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    an_hour_later()


def an_hour_later() -> None:
    """Move this process's clock."""
    now_ns, now_s = time.time_ns, time.time
    time.time_ns = lambda: now_ns() + HUNG_MS * 1_000_000
    time.time = lambda: now_s() + HUNG_MS / 1000


def later(work: Work) -> Work:
    """The same, in a process whose clock says an hour more."""

    def moved(moments: Moments) -> None:
        an_hour_later()
        work(moments)

    return moved


@dataclass(frozen=True, slots=True)
class Hung:
    """A child that has stopped, or ended before it could."""

    pid: int
    stopped: bool

    def go_on(self) -> int:
        """Let it go; its exit code."""
        if not self.stopped:
            raise RuntimeError("a child ended before it hung; its traceback is above")
        os.kill(self.pid, signal.SIGCONT)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def stopped(work: Work) -> Hung:
    """Run ``work`` in a fork of this process until it hangs."""
    child = in_child(work)
    _, status = os.waitpid(child, os.WUNTRACED)
    return Hung(child, os.WIFSTOPPED(status))
