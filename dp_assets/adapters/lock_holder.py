"""Which processes keep a file locked or open, as far as this system tells."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

PROC_LOCKS = Path("/proc/locks")


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its command's name; arguments may hold secrets and stay out."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.command})"


def lock_holders(*paths: Path) -> tuple[Process, ...]:
    """Who most likely keeps others from ``paths`` (a database and the files beside it).

    The first of these that is not empty: others with a write lock, this process with one, others
    with a read lock, others that have a file open. Empty when the system does not tell.
    """
    existing = [path for path in paths if path.exists()]
    own = os.getpid()
    locks = _locks(existing)
    for pids in (
        {pid for pid, mode in locks if mode == "WRITE" and pid != own},
        {pid for pid, mode in locks if mode == "WRITE"},
        {pid for pid, _ in locks if pid != own},
    ):
        if found := _processes(pids):
            return found
    return _processes(_openers(existing) - {own})


def _locks(paths: list[Path]) -> set[tuple[int, str]]:
    """Pid and mode (READ, WRITE) of the locks on ``paths``.

    Source: proc(5), "/proc/locks": number, class, type, mode, pid, device:inode, range; devices
    in hexadecimal. Lines with an arrow wait for a lock.
    """
    if not PROC_LOCKS.exists():
        return set()
    wanted = {_device_and_inode(path) for path in paths}
    fields = (line.split() for line in PROC_LOCKS.read_text().splitlines())
    return {(int(f[4]), f[3]) for f in fields if len(f) == 8 and f[5] in wanted}


def _device_and_inode(path: Path) -> str:
    stat = path.stat()
    return f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}:{stat.st_ino}"


def _openers(paths: list[Path]) -> set[int]:
    wanted = {str(path.resolve()) for path in paths}
    found: set[int] = set()
    for process in psutil.process_iter():
        try:
            if any(file.path in wanted for file in process.open_files()):
                found.add(process.pid)
        except psutil.Error:
            continue  # ended, or of another user
    return found


def _processes(pids: set[int]) -> tuple[Process, ...]:
    found: list[Process] = []
    for pid in sorted(pids):
        try:
            found.append(Process(pid, psutil.Process(pid).name()))
        except psutil.Error:
            continue
    return tuple(found)
