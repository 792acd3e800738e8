"""Processes that are started, found again and ended by their id, and never another one's.

A process id may be given again to somebody else. With the time of its start, which the kernel
counts in ticks since boot, it is one process for ever.
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.05


class ServiceError(Exception):
    """A service did not start."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process; ``started`` in clock ticks since boot."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return _started(self.pid) == self.started


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    with_parent: bool,
    user: int | None = None,
) -> Process:
    """Start ``command`` in a session of its own, so that Ctrl-C here does not reach it.

    Args:
        command: program and arguments.
        log: what it says is appended there.
        environment: all of it.
        with_parent: the kernel ends it when the calling process dies, however that happens.
        user: as whom; needs root.
    """
    guard = shutil.which("setpriv") if with_parent else None
    before = [guard, "--pdeathsig", "KILL"] if guard else []
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the services' own programs
            [*before, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    process.returncode = 0  # it outlives this object, which would warn
    return Process(process.pid, _started(process.pid) or 0)


def wait_until(ready: Callable[[], bool], *, process: Process, log: Path, seconds: float) -> None:
    """Return once ``ready``. Raises ServiceError, with the end of the log, when it will not be."""
    end = time.monotonic() + seconds
    while not ready():
        if not process.is_alive or time.monotonic() > end:
            stop(process)
            said = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ServiceError(f"no answer after {seconds} s, or it ended; its last words:\n{said}")
        time.sleep(POLL_S)


def stop(process: Process, *, ask: signal.Signals = signal.SIGTERM, seconds: float = 10) -> bool:
    """End this very process, asking first; False when it was gone already."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    with ExitStack() as stack:
        stack.callback(os.close, handle)
        # From here on the handle is one process; whether it is ours is asked after it was made.
        if not process.is_alive:
            return False
        for number in (signal.SIGCONT, ask, signal.SIGKILL):
            signal.pidfd_send_signal(handle, number)
            if number != signal.SIGCONT and select.select([handle], [], [], seconds)[0]:
                break
    _collect(process.pid)
    return True


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now; taken all at once, so all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def answers(port: int) -> bool:
    """Whether somebody listens on ``port`` of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _started(pid: int) -> int | None:
    """Field 22 of proc(5) "/proc/pid/stat"; None for what has ended, zombies among it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _collect(pid: int) -> None:
    """Take the exit code of a child, so that no zombie stays; others' children are not ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
