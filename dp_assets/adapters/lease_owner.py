"""The owner text of a lease, and whether the process it names is known to be dead.

A killed run leaves its lease behind, and the same command again should not have to wait for the
expiry. Where both run on one Linux system, the text says enough to see that the owner is gone:
boot, pid namespace, pid and the time that process started. Everywhere else nothing is assumed.
"""

import os
import re
import socket
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")
UNKNOWN = "unknown"
ENDED = -1
MARK = re.compile(r" pid (\d+) .*\[(\S+) (\d+)\]$")


def owner_text(run_id: str) -> str:
    """``host pid 123 run abc [system start]``: who acts, for people and for :func:`is_gone`."""
    pid = os.getpid()
    started = _started(pid)
    mark = f"{UNKNOWN} 0" if started is None else f"{_system()} {started}"
    return f"{socket.gethostname()} pid {pid} run {run_id} [{mark}]"


def is_gone(owner: str) -> bool:
    """Whether ``owner`` was a process of this system that has ended; False when in doubt."""
    found = MARK.search(owner)
    if not found or found[2] == UNKNOWN or found[2] != _system():
        return False
    pid = int(found[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, as another user
    started = _started(pid)
    return started is not None and started != int(found[3])


def _system() -> str:
    """This boot and pid namespace: within them a pid and its start time are one process."""
    if not (BOOT_ID.exists() and PID_NAMESPACE.exists()):
        return UNKNOWN
    return f"{BOOT_ID.read_text()[:8]}-{PID_NAMESPACE.stat().st_ino}"


def _started(pid: int) -> int | None:
    """Clock ticks from boot to the start of ``pid``; None when the system does not tell.

    A zombie has ended, whoever has yet to collect it. Source: proc(5), "/proc/pid/stat", fields 3
    and 22; the command before them may hold spaces and brackets.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return ENDED if fields[0] in ("Z", "X") else int(fields[19])
