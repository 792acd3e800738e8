"""Tables that Spark wrote keep their rows: position deletes, old specs, changed columns, types."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from dp_assets.core.units import now_ms
from dp_assets.ports.compaction import CompactionRefusedError
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import load_settings
from dp_assets_tests.adapters.maintenance.rewriting import local, rewritten
from dp_assets_tests.faults.sabotage import Stage
from dp_assets_tests.usecases.backup.proven_points import commit_point, store_table
from dp_assets_tests.usecases.backup.table_points import new_repository
from dp_assets_tests.zoo import TABLES, expected_rows, unpack_zoo

COMPACTED = ("compacted", "outside", "stats", "types", "v1_plain", "v2_mor")


@pytest.fixture(scope="module")
def pointers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The tables' metadata files, moved to where their files really are."""
    folder = tmp_path_factory.mktemp("zoo")
    zoo, repository = unpack_zoo(folder), new_repository(folder / "repository")
    tables = [
        store_table(repository, f"zoo.{n}", zoo.table(n), zoo.files, rows=expected_rows(n))
        for n in TABLES
    ]
    commit_point(repository, tuple(tables), cut_at_ms=now_ms())
    stage = Stage(load_settings(env={"DP_STATE": str(folder / "state")}), repository)
    with stage.restored() as restored:
        yield {name.removeprefix("zoo."): job.pointer for name, job in restored.jobs.items()}


@pytest.mark.parametrize("name", COMPACTED)
def test_every_group_keeps_its_rows(pointers: Mapping[str, str], tmp_path: Path, name: str):
    found = rewritten(pointers[name], tmp_path)
    assert found.plan.left == ()
    planned = sum(len(group.inputs) for group in found.plan.groups)
    assert planned == len(list(found.table.scan().plan_files()))
    assert found.rows() == found.rows_before()
    head = found.plan.snapshot_id
    assert len(found.rows()) == expected_rows(name)[head]
    assert len(found.files) <= len(found.groups)


def test_there_was_something_to_delete(pointers: Mapping[str, str], tmp_path: Path):
    found = rewritten(pointers["v2_mor"], tmp_path)
    kinds = {delete.kind for group in found.plan.groups for delete in group.deletes}
    assert kinds == {FileKind.POSITION_DELETES}
    assert {group.spec_id for group in found.plan.groups} == {0, 2}


@pytest.mark.parametrize("name", ["types", "v2_mor"])
def test_no_integer_is_annotated(pointers: Mapping[str, str], tmp_path: Path, name: str):
    """Spark's vectorized reader fails on such a column once it is widened."""
    paths = [str(local(file.path)) for file in rewritten(pointers[name], tmp_path).files]
    query = "SELECT count(*) FROM parquet_schema(?) WHERE converted_type IN ('INT_32', 'INT_64')"
    with duckdb.connect() as connection:
        assert connection.execute(query, [paths]).fetchall() == [(0,)]


def test_new_files_have_no_statistics_that_the_data_contradicts(
    pointers: Mapping[str, str], tmp_path: Path
):
    found = rewritten(pointers["types"], tmp_path)
    for file in found.files:
        for field in found.table.schema().fields:
            column = pq.read_table(local(file.path), partitioning=None)[field.name]
            assert file.statistics.value_counts[field.field_id] == file.records
            assert file.statistics.null_counts[field.field_id] == column.null_count
            assert file.statistics.column_sizes[field.field_id] > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("v3_dv", "format version 3 is not compacted yet"),
        ("equality", "equality deletes are not compacted yet"),
        ("empty", "it has no snapshot"),
    ],
)
def test_what_is_not_exact_is_refused(
    pointers: Mapping[str, str], tmp_path: Path, name: str, reason: str
):
    with pytest.raises(CompactionRefusedError, match=reason):
        rewritten(pointers[name], tmp_path)
