"""A backup that cannot write or is interrupted: nothing half-visible, and the next works."""

import os
import signal

import pytest

from dp_assets.adapters.objects import object_store_local
from dp_assets.adapters.objects.object_store_local import UPLOADS, LocalUpload
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.points import Points
from dp_assets.lakehouse import opened
from dp_assets.usecases.backup.repositories import leases_of, open_for_reading
from dp_assets_tests.usecases.backup.backups import (
    SeenFiles,
    append,
    backup,
    check_repository,
    lakehouse,
    points_of,
    root_of,
)


@pytest.fixture
def settings(tmp_path):
    return lakehouse(tmp_path)


def left_behind(settings):
    """Leases that are held, and uploads that are lying about."""
    repository = open_for_reading(settings)
    with opened(settings) as lake:
        held = (*leases_of(repository.store).held(), *lake.leases.held())
    uploads = root_of(settings) / UPLOADS
    return held, list(uploads.iterdir()) if uploads.is_dir() else []


@pytest.mark.parametrize("nth", [1, 4, 8, 12, 15])
def test_a_repository_that_is_full_at_any_object(settings, monkeypatch, nth):
    commit, count = LocalUpload.commit, 0

    def full(upload, key, **how):
        nonlocal count
        count += key.startswith(layout.OBJECTS)
        if count == nth:
            raise PermanentError("write: the disk is full", hint="make room")
        commit(upload, key, **how)

    monkeypatch.setattr(LocalUpload, "commit", full)
    with pytest.raises(PermanentError, match="the disk is full"):
        backup(settings)
    monkeypatch.undo()
    assert points_of(settings).numbers() == ()
    assert left_behind(settings) == ((), [])
    assert backup(settings).record.number == 2
    assert check_repository(settings) == (2,)


def test_a_disk_that_fails_when_all_is_to_be_durable_leaves_no_point(settings, monkeypatch):
    """Where space is given out late, a full disk may be noticed only then."""

    def fails(_folder):
        raise PermanentError("sync: the disk is full", hint="make room")

    monkeypatch.setattr(object_store_local, "sync_whole", fails)
    with pytest.raises(PermanentError, match="the disk is full"):
        backup(settings)
    monkeypatch.undo()
    assert points_of(settings).numbers() == ()
    assert left_behind(settings) == ((), [])
    assert backup(settings).record.complete
    assert check_repository(settings) == (2,)


@pytest.mark.parametrize("part", ["metadata.json", "-m0.avro", ".parquet"])
def test_ctrl_c(settings, part):
    backup(settings)
    append(settings, first=500)

    def interrupt(location):
        if location.endswith(part):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        backup(settings, files=SeenFiles(on_open=interrupt), sample_files=0)
    assert points_of(settings).numbers() == (1,)
    assert left_behind(settings) == ((), [])
    assert backup(settings).record.complete
    assert check_repository(settings)[0] == 1


def test_a_commit_that_fails_leaves_no_point(settings, monkeypatch):
    def fails(*_):
        raise PermanentError("write: read-only file system", hint="mount it")

    monkeypatch.setattr(Points, "commit", fails)
    with pytest.raises(PermanentError, match="read-only"):
        backup(settings)
    monkeypatch.undo()
    assert points_of(settings).numbers() == ()
    assert backup(settings).record.complete
    assert check_repository(settings) == (2,)
