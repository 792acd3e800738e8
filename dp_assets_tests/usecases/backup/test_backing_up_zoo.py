"""Every table of the zoo is in a recovery point: all files, all snapshots, rows where they tell."""

from dataclasses import replace

import pytest
from pyiceberg.catalog.sql import IcebergTables
from sqlalchemy.orm import Session

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import History
from dp_assets_tests.usecases.backup.backups import (
    SeenFiles,
    backup,
    check_repository,
    lakehouse,
    points_of,
)
from dp_assets_tests.zoo import TABLES, expected_rows, unpack_zoo


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory):
    """The zoo's tables registered as they are, and a point of them."""
    folder = tmp_path_factory.mktemp("zoo")
    zoo = unpack_zoo(folder)
    settings = lakehouse(folder, tables=())
    with opened(settings) as lake, Session(lake.catalog.engine) as session:
        for name in TABLES:
            session.add(
                IcebergTables(
                    catalog_name=lake.catalog.name,
                    table_namespace="zoo",
                    table_name=name,
                    metadata_location=zoo.table(name),
                    previous_metadata_location=None,
                )
            )
        session.commit()
    return settings, zoo, backup(settings, files=SeenFiles(inner=zoo.files))


def test_every_table_is_whole(backed_up):
    settings, _, outcome = backed_up
    assert {line.table for line in outcome.manifest.tables} == {f"zoo.{name}" for name in TABLES}
    assert [(line.table, line.problem) for line in outcome.manifest.tables if line.problem] == []
    assert check_repository(settings) == (1,)


@pytest.mark.parametrize("name", TABLES)
def test_the_point_says_what_the_table_is(backed_up, name):
    settings, zoo, outcome = backed_up
    points = points_of(settings)
    line = next(one for one in outcome.manifest.tables if one.table == f"zoo.{name}")
    content = points.content(line)
    closure = read_closure(zoo.files, zoo.table(name), history=History.ALL)
    assert [one.file for one in content.files] == list(closure.files)
    assert content.refs == closure.refs
    by_manifests = {s.snapshot_id: s.rows for s in content.snapshots if s.rows_by == "manifests"}
    expected = expected_rows(name)
    assert by_manifests == {k: expected[k] for k in by_manifests if k in expected}


def test_a_second_point_opens_nothing(backed_up):
    settings, zoo, _ = backed_up
    files = SeenFiles(inner=zoo.files)
    outcome = backup(settings, files=files, sample_files=0)
    assert (files.opened, outcome.taken_over) == ([], len(TABLES))
    assert replace(outcome.record, number=0).copied_bytes == 0
