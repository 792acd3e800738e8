"""What a backup does not trust: leftovers, known files that changed, files while they change."""

import os

import pytest

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.hashing import Discard, HashingReader, drain
from dp_assets.usecases.backup.repositories import open_for_reading, open_for_writing
from dp_assets_tests.adapters.real_lakehouse import local
from dp_assets_tests.usecases.backup.backups import (
    NAMES,
    SeenFiles,
    append,
    backup,
    check_repository,
    data_files,
    lakehouse,
    line_of,
    points_of,
)


@pytest.fixture
def settings(tmp_path):
    return lakehouse(tmp_path)


def sha256(path):
    with path.open("rb") as file:
        reader = HashingReader(file)
        drain(reader, Discard())
    return reader.sha256


def change_unseen(path):
    """Flip one byte; size and time stay."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_half_written_object_of_the_right_size_is_not_trusted(settings):
    """As a disk leaves it that lost power: the name is there, the bytes are not."""
    repository = open_for_writing(settings)
    names = [sha256(path) for path in data_files(settings)]
    for name, path in zip(names, data_files(settings), strict=True):
        size = path.stat().st_size
        repository.store.put(
            layout.object_key(name), path.read_bytes()[: size // 2] + bytes(size - size // 2)
        )
    assert backup(settings).record.complete
    assert check_repository(settings) == (1,)


def test_a_known_file_that_changed_unseen_makes_the_table_incomplete(settings):
    backup(settings)
    (changed, *_) = data_files(settings)
    good = changed.read_bytes()
    change_unseen(changed)
    outcome = backup(settings, sample_files=1000)
    assert outcome.sampled_files == sum(line.files for line in outcome.manifest.tables)
    assert not outcome.record.complete
    problem = line_of(outcome).problem
    assert changed.name in problem
    assert "changed although its size and time did not" in problem
    # What was right once is still there, and stays until somebody has decided.
    assert check_repository(settings) == (1, 2)
    content = points_of(settings).content(line_of(outcome))
    ref = next(one.ref for one in content.files if one.file.path.endswith(changed.name))
    assert open_for_reading(settings).read(ref) == good


def test_it_stays_incomplete_without_luck_until_the_file_is_right_again(settings):
    backup(settings)
    (changed, *_) = data_files(settings)
    good, times = changed.read_bytes(), changed.stat()
    change_unseen(changed)
    assert not backup(settings, sample_files=1000).record.complete
    for number in (3, 4):
        outcome = backup(settings, sample_files=0)
        assert (outcome.record.number, outcome.record.complete) == (number, False)
        assert line_of(outcome, NAMES).problem == ""
    changed.write_bytes(good)
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert backup(settings, sample_files=0).record.complete
    assert check_repository(settings) == (1, 2, 3, 4, 5)


def test_a_sample_reads_that_many_known_files_and_no_others(settings):
    backup(settings)
    files = SeenFiles()
    outcome = backup(settings, files=files, sample_files=3)
    assert outcome.sampled_files == 3
    assert len(files.opened) == 3


def test_a_sample_of_large_files_is_cut_short_but_never_empty(settings, monkeypatch):
    monkeypatch.setattr("dp_assets.usecases.backup.sampling.SAMPLE_BYTES", 1)
    backup(settings)
    files = SeenFiles()
    assert backup(settings, files=files, sample_files=3).sampled_files == 1
    assert len(files.opened) == 1


def test_a_sampled_file_that_is_gone_is_a_warning_for_the_repository_has_it(settings):
    backup(settings)
    lost = data_files(settings)[0]
    lost.unlink()
    outcome = backup(settings, sample_files=1000)
    assert outcome.record.complete
    assert any(lost.name in warning for warning in outcome.warnings)


def test_a_known_file_that_was_touched_is_read_again_and_not_stored_twice(settings):
    backup(settings)
    append(settings, first=500)
    touched = data_files(settings)[0]
    os.utime(touched, ns=(1, 1))
    files = SeenFiles()
    outcome = backup(settings, files=files, sample_files=0)
    assert f"file://{touched}" in files.opened or str(touched) in "".join(files.opened)
    assert outcome.record.complete
    assert check_repository(settings) == (1, 2)


def test_a_source_error_that_passes_costs_nothing_but_a_pause(settings, monkeypatch):
    paused = []
    monkeypatch.setattr("dp_assets.usecases.backup.backing_up.time.sleep", paused.append)
    failing = Failing(TransientError("503 SlowDown", hint="later"), times=2)
    outcome = backup(settings, files=SeenFiles(on_open=failing))
    assert outcome.record.complete
    assert paused == [0.5, 2.0]
    assert check_repository(settings) == (1,)


def test_a_source_error_that_stays_makes_that_table_incomplete(settings, monkeypatch):
    monkeypatch.setattr("dp_assets.usecases.backup.backing_up.time.sleep", lambda _s: None)
    failing = Failing(PermanentError("read x: input/output error", hint="replace it"), times=99)
    outcome = backup(settings, files=SeenFiles(on_open=failing))
    assert line_of(outcome).problem == "read x: input/output error"
    assert line_of(outcome, NAMES).problem == ""
    assert not outcome.record.complete
    assert check_repository(settings) == (1,)


def test_a_damaged_manifest_makes_that_table_incomplete(settings):
    content = points_content(settings)
    manifest = next(one.file.path for one in content.files if one.file.path.endswith("-m0.avro"))
    local(manifest).write_bytes(b"Obj\x01 and nothing")
    append_elsewhere(settings)
    outcome = backup(settings)
    assert "damaged" in line_of(outcome).problem
    assert check_repository(settings)[-1] == outcome.record.number


def points_content(settings):
    return points_of(settings).content(line_of(backup(settings)))


def append_elsewhere(settings):
    """The table's pointer moves; its old manifests stay."""
    from dp_assets.lakehouse import opened
    from dp_assets_tests.adapters.real_lakehouse import ORDERS

    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        with table.transaction() as change:
            change.set_properties(note="moved")


class Failing:
    """The data of ``raw.orders`` cannot be read, so many times."""

    def __init__(self, error, *, times):
        self.error, self.left = error, times

    def __call__(self, location):
        if self.left and "/orders/" in location and location.endswith(".parquet"):
            self.left -= 1
            raise self.error
