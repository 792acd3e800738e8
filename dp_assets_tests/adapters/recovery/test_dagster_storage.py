"""Which of Dagster's files are worth keeping."""

import os

from dp_assets.adapters.recovery.dagster_storage import storage_files


def put(home, name, *, size=10, at=1):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, ns=(at, at))


def names(home, *, limit=100):
    return [file.path for file in storage_files(home, max_log_bytes=limit)]


def test_no_home_no_files(tmp_path):
    assert names(tmp_path / "none") == []


def test_shared_databases_and_logs_of_runs_and_nothing_else(tmp_path):
    for name in ("history/runs.db", "history/runs/index.db", "history/runs/a.db", "dagster.yaml"):
        put(tmp_path, name)
    put(tmp_path, "storage/a/compute_logs/x.out")
    put(tmp_path, "history/runs/a.db-wal")
    assert names(tmp_path) == ["history/runs.db", "history/runs/index.db", "history/runs/a.db"]


def test_the_newest_logs_up_to_the_limit(tmp_path):
    put(tmp_path, "history/runs.db", size=1000)
    for at, name in enumerate(("old", "new", "middle")):
        put(tmp_path, f"history/runs/{name}.db", at={0: 1, 1: 3, 2: 2}[at])
    assert names(tmp_path, limit=20) == [
        "history/runs.db",
        "history/runs/middle.db",
        "history/runs/new.db",
    ]


def test_a_write_to_the_write_ahead_log_is_a_new_version(tmp_path):
    put(tmp_path, "history/runs.db")
    (before,) = storage_files(tmp_path, max_log_bytes=0)
    put(tmp_path, "history/runs.db-wal", at=9)
    (after,) = storage_files(tmp_path, max_log_bytes=0)
    assert (before.version, before.size) != (after.version, after.size)
