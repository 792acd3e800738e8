"""Backups into an encrypted repository, by a writer with and without the private key."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.reachable import Reachable
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.making_repository import NewKeys, init_repository
from dp_assets.usecases.backup.repositories import open_at
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse
from dp_assets_tests.usecases.backup.backups import (
    NAMES,
    SeenFiles,
    append,
    backup,
    check_table,
    data_files,
    line_of,
    stored,
)


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    return NewKeys(naming_key=folder / "naming.key", identity=folder / "me.key")


@pytest.fixture
def writer(tmp_path, keys):
    """Settings of a machine that can write and cannot read."""
    settings = make_lakehouse(tmp_path, commits=2, tables=(ORDERS, NAMES))
    made = init_repository(settings, keys=keys, now_ms=now_ms())
    text = settings.path.read_text() + (
        f"repository:\n  naming_key: file:{keys.naming_key}\n"
        f"  recipients: [{', '.join(made.recipients)}]\n"
    )
    settings.path.write_text(text)
    return load_settings(settings.path, env={})


def check(settings, keys):
    """Whoever has the private key finds every point whole."""
    repository = open_at(settings.repository.url, key_files=[keys.identity])
    points = Points(repository)
    for number in points.numbers():
        record = points.record(number)
        for needed in Reachable(points).objects(record):
            assert repository.is_as_stored(stored(repository, needed))
        for line in points.manifest(record).tables:
            check_table(points, repository, line)
    return points.numbers()


def test_a_writer_without_the_private_key_makes_points(writer, keys):
    outcome = backup(writer)
    assert outcome.record.complete
    assert check(writer, keys) == (1,)
    points = Points(open_at(writer.repository.url))
    with pytest.raises(ConfigurationError, match="no private key"):
        points.manifest(outcome.record)


def test_it_reads_nothing_that_it_knows(writer, keys):
    backup(writer)
    files = SeenFiles()
    second = backup(writer, files=files, sample_files=0)
    assert (files.opened, second.taken_over, second.record.copied_bytes) == ([], 2, 0)
    before = set(data_files(writer))
    append(writer, first=500)
    (new,) = set(data_files(writer)) - before
    third = backup(writer, files=files, sample_files=0)
    assert [path for path in files.opened if path.endswith(".parquet")] == [f"file://{new}"]
    assert line_of(third).copied_files == 4
    assert check(writer, keys) == (1, 2, 3)


def test_a_sample_is_read_again_without_the_private_key(writer, keys):
    backup(writer)
    outcome = backup(writer, sample_files=1000)
    assert outcome.sampled_files == sum(line.files for line in outcome.manifest.tables)
    assert outcome.record.complete


def test_equal_files_copied_at_once_are_one_object(writer, keys):
    """Sealing twice gives other bytes: a reference must describe what is stored in the end."""
    outcome = backup(writer, workers=8)
    points = Points(open_at(writer.repository.url, key_files=[keys.identity]))
    refs = [one.ref for line in outcome.manifest.tables for one in points.content(line).files]
    assert len({ref.name for ref in refs}) < len(refs)
    assert len({(ref.name, ref.stored_sha256) for ref in refs}) == len({ref.name for ref in refs})
    assert check(writer, keys) == (1,)


def test_nothing_readable_names_a_table_or_a_path(writer):
    backup(writer)
    from pathlib import Path

    root = Path(open_at(writer.repository.url).store.address)
    assert any((root / "objects").iterdir())
    for file in root.rglob("*"):
        if file.is_file() and "leases" not in file.parts:
            content = file.read_bytes()
            assert b"orders" not in content, file
            assert b"parquet" not in content, file
