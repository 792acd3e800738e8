"""Dagster's own SQLite storage: which files it has, and copies of them while Dagster writes.

``history/runs.db`` (runs), ``history/runs/index.db`` (events of assets and checks),
``schedules/schedules.db`` (ticks) and an event log per run, ``history/runs/<run id>.db``. With
``storage:`` in dagster.yaml there are none: that database has a backup of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.objects.file_errors import file_errors

ALWAYS = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
RUN_LOGS = "history/runs"


@dataclass(frozen=True, slots=True)
class StorageFile:
    """One database; ``version`` changes whenever it was written, its write-ahead log included."""

    path: str
    size: int
    version: str


def storage_files(home: Path, *, max_log_bytes: int) -> tuple[StorageFile, ...]:
    """What is worth keeping below ``home``: the shared databases, and the newest event logs.

    Args:
        home: Dagster's home; nothing there is no error.
        max_log_bytes: of event logs together; older ones are left out.
    """
    shared = [found for name in ALWAYS if (found := _look(home, name))]
    kept: list[StorageFile] = []
    left = max_log_bytes
    for log in sorted(_run_logs(home), key=lambda file: file.version, reverse=True):
        left -= log.size
        if left < 0:
            break
        kept.append(log)
    return (*shared, *sorted(kept, key=lambda file: file.path))


def _run_logs(home: Path) -> Iterator[StorageFile]:
    folder = home / RUN_LOGS
    with file_errors("read", folder):
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        path = f"{RUN_LOGS}/{name}"
        if name.endswith(".db") and path not in ALWAYS and (found := _look(home, path)):
            yield found


def _look(home: Path, name: str) -> StorageFile | None:
    size, newest_ns = 0, 0
    for path in (home / name, home / f"{name}-wal"):
        try:
            found = path.stat()
        except FileNotFoundError:
            if not size:
                return None
            continue
        size += found.st_size
        newest_ns = max(newest_ns, found.st_mtime_ns)
    return StorageFile(name, size, f"{newest_ns:020d}")
