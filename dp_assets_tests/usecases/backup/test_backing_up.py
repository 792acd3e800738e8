"""A recovery point holds everything, once, and nothing is read twice."""

import json

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.records import RECOVERY_POINTS
from dp_assets.domains.backup.selection import Selection
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind, History
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill, local, pointer_of
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


def test_a_point_holds_every_table_and_file(settings):
    outcome = backup(settings)
    assert check_repository(settings) == (1,)
    assert outcome.record.complete
    assert [line.table for line in outcome.manifest.tables] == ["raw.names", "raw.orders"]
    content = points_of(settings).content(line_of(outcome))
    kinds = [one.file.kind for one in content.files]
    assert sorted(kinds) == sorted(
        [FileKind.METADATA] + [FileKind.MANIFEST_LIST, FileKind.MANIFEST, FileKind.DATA] * 2
    )
    assert (content.pointer, content.head) == (
        pointer_of(settings),
        content.snapshots[-1].snapshot_id,
    )
    assert [snapshot.rows for snapshot in content.snapshots] == [10, 20]
    assert [field["name"] for field in content.schema["fields"]] == ["id"]
    assert content.refs["main"]["snapshot-id"] == content.head
    assert content.immovable == ""
    stored = {one.file.path: one.ref for one in content.files}
    for path in data_files(settings):
        ref = stored[f"file://{path}"]
        assert open_for_reading(settings).read(ref) == path.read_bytes()


def test_besides_tables_a_point_holds_what_a_recovery_needs(settings):
    storage = settings.dagster_home / "history"
    storage.mkdir(parents=True)
    make_database(storage / "runs.db", rows=3)
    outcome = backup(settings)
    manifest, repository = outcome.manifest, open_for_reading(settings)
    assert manifest.namespaces["ops"]["dp.origin"] == "test"
    assert {file.path for file in manifest.dump.files} >= {"catalog.db", "dump.json"}
    assert manifest.dump.rows["iceberg_tables"] == 2
    text = repository.read(manifest.settings).decode()
    assert "warehouse:" in text
    (runs,) = manifest.dagster
    assert runs.path == "history/runs.db"
    copy = settings.tmp_dir / "copy.db"
    copy.write_bytes(repository.read(runs.ref))
    assert count_rows(copy) == 3


def test_a_secret_of_the_settings_is_not_in_the_point(tmp_path):
    settings = lakehouse(tmp_path)
    file = settings.path
    file.write_text(file.read_text() + "  properties:\n    s3.secret-access-key: sesame\n")
    from dp_assets.settings import load_settings

    settings = load_settings(file, env={})
    outcome = backup(settings)
    text = open_for_reading(settings).read(outcome.manifest.settings).decode()
    assert "s3.secret-access-key" in text
    assert "sesame" not in text


def test_nothing_changed_opens_no_file(settings):
    first = backup(settings)
    files = SeenFiles()
    second = backup(settings, files=files, sample_files=0)
    assert files.opened == []
    assert second.taken_over == 2
    assert (second.record.copied_bytes, second.record.bytes) == (0, first.record.bytes)
    assert [line.content for line in second.manifest.tables] == [
        line.content for line in first.manifest.tables
    ]
    assert check_repository(settings) == (1, 2)


def test_another_metadata_file_under_the_same_name_is_noticed(settings):
    """Catalogs that number their metadata files use a name again after drop and create."""
    backup(settings)
    file = local(pointer_of(settings))
    file.write_text(json.dumps({**json.loads(file.read_text()), "properties": {"new": "yes"}}))
    outcome = backup(settings, sample_files=0)
    content = points_of(settings).content(line_of(outcome))
    ref = next(one.ref for one in content.files if one.file.path == content.pointer)
    assert open_for_reading(settings).read(ref) == file.read_bytes()
    assert outcome.taken_over == 1


def test_one_commit_copies_only_its_files(settings):
    backup(settings)
    before = set(data_files(settings))
    append(settings, first=1000)
    files = SeenFiles()
    outcome = backup(settings, files=files, sample_files=0)
    (new,) = set(data_files(settings)) - before
    assert [path for path in files.opened if path.endswith(".parquet")] == [f"file://{new}"]
    assert not any("/names/" in path for path in files.opened)
    assert line_of(outcome).copied_files == 4  # data, manifest, manifest list, metadata
    assert (line_of(outcome, NAMES).copied_files, outcome.taken_over) == (0, 1)
    assert check_repository(settings) == (1, 2)


def test_another_history_is_read_again_and_copies_nothing(settings):
    first = backup(settings)
    outcome = backup(settings, history=History.CURRENT)
    assert outcome.taken_over == 0
    assert line_of(outcome).snapshots == 1
    assert line_of(first).snapshots == 2
    assert outcome.record.copied_bytes == 0
    assert check_repository(settings) == (1, 2)


def test_refs_keeps_tagged_snapshots_and_no_others(tmp_path):
    settings = lakehouse(tmp_path, commits=4, tables=(ORDERS,))
    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        tagged = table.snapshots()[1].snapshot_id
        table.manage_snapshots().create_tag(tagged, "audit").commit()
    outcome = backup(settings, history=History.REFS)
    content = points_of(settings).content(line_of(outcome))
    assert {one.snapshot_id for one in content.snapshots} == {tagged, content.head}
    assert set(content.refs) == {"main", "audit"}
    assert content.history is History.REFS


def test_tables_dropped_and_made_between_two_points(settings):
    backup(settings)
    new = TableId("raw", "later")
    with opened(settings) as lake:
        lake.catalog.drop_table(NAMES.identifier)
        fill(lake, new, commits=1)
    outcome = backup(settings)
    assert [line.table for line in outcome.manifest.tables] == ["raw.later", "raw.orders"]
    assert outcome.size_problems == ()
    assert check_repository(settings) == (1, 2)


def test_a_renamed_table_is_described_anew_without_copying(settings):
    backup(settings)
    with opened(settings) as lake:
        lake.catalog.rename_table(NAMES.identifier, ("raw", "people"))
    outcome = backup(settings)
    line = line_of(outcome, TableId("raw", "people"))
    assert points_of(settings).content(line).table == "raw.people"
    assert outcome.record.copied_bytes == 0


def test_include_and_exclude(settings):
    outcome = backup(settings, selection=Selection(("raw.*",), ("*.names",)))
    assert [line.table for line in outcome.manifest.tables] == ["raw.orders"]
    assert (outcome.manifest.include, outcome.manifest.exclude) == (("raw.*",), ("*.names",))
    assert outcome.manifest.dump.rows["iceberg_tables"] == 2


def test_a_selection_of_nothing_makes_no_point(settings):
    with pytest.raises(ConfigurationError, match="none of 2 tables"):
        backup(settings, selection=Selection(("row.*",)))
    assert points_of(settings).numbers() == ()
    assert backup(settings).record.number == 2


def test_every_attempt_leaves_a_row(settings):
    with pytest.raises(ConfigurationError):
        backup(settings, selection=Selection(("row.*",)))
    backup(settings)
    with opened(settings) as lake:
        failed, made = lake.spool.read(lake.spool.pending(RECOVERY_POINTS.table))
        lake.flush(at_once=True)
        rows = lake.catalog.load_table(RECOVERY_POINTS.table.identifier).scan().to_arrow()
    assert (failed["complete"], failed.get("point")) == (False, None)
    assert "none of 2 tables" in failed["problem"]
    assert (made["point"], made["complete"], made["tables"]) == (2, True, 2)
    assert rows.num_rows == 2


def test_a_table_without_a_snapshot(tmp_path):
    settings = lakehouse(tmp_path, commits=0, tables=(ORDERS,))
    outcome = backup(settings)
    line = line_of(outcome)
    assert (line.files, line.rows, line.head, line.problem) == (1, 0, None, "")
    assert check_repository(settings) == (1,)


def test_who_has_no_manifest_of_its_own_reads_the_repositorys(settings):
    backup(settings)
    for file in settings.indexes_dir.iterdir():
        file.unlink()
    files = SeenFiles()
    outcome = backup(settings, files=files, sample_files=0)
    assert (files.opened, outcome.taken_over) == ([], 2)


def test_what_the_dump_says_is_where_the_tables_are(settings):
    outcome = backup(settings)
    dump = next(file for file in outcome.manifest.dump.files if file.path == "catalog.json")
    tables = json.loads(open_for_reading(settings).read(dump.ref))["tables"]["raw"]
    assert tables == {
        line.table.removeprefix("raw."): line.pointer for line in outcome.manifest.tables
    }


def make_database(path, *, rows):
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (n INTEGER)")
    connection.executemany("INSERT INTO runs VALUES (?)", [(n,) for n in range(rows)])
    connection.commit()
    connection.close()


def count_rows(path):
    import sqlite3

    connection = sqlite3.connect(path)
    found = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.close()
    return found


def test_an_include_that_matches_nothing_is_said(settings):
    outcome = backup(settings, selection=Selection(("raw.*", "row.*")))
    assert any("include row.* matches no table" in warning for warning in outcome.warnings)
