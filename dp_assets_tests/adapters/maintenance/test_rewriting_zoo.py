"""Tables that Spark wrote keep their rows: deletes of all kinds, old specs, lineage, types."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.maintenance import group_query
from dp_assets.core.errors import PermanentError
from dp_assets.core.units import now_ms
from dp_assets.ports.compaction import CompactionRefusedError
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import load_settings
from dp_assets_tests.adapters.maintenance.rewriting import Rewritten, local, rewritten
from dp_assets_tests.faults.sabotage import Stage
from dp_assets_tests.usecases.backup.proven_points import commit_point, store_table
from dp_assets_tests.usecases.backup.readings import fingerprint
from dp_assets_tests.usecases.backup.table_points import new_repository
from dp_assets_tests.zoo import DATA, TABLES, expected_rows, unpack_zoo

COMPACTED = tuple(name for name in TABLES if name != "empty")
EXPECTED: Mapping[str, str] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))


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
    assert fingerprint(as_written(found)) == EXPECTED[f"zoo.{name} current"]
    if name != "equality":  # PyIceberg reads none of these
        assert found.rows() == found.rows_before()
    assert len(found.files) <= len(found.groups)


def as_written(found: Rewritten) -> pa.Table:
    """All that is in the new files, the lineage included: Spark's reading has it, too."""
    tables = [pq.read_table(local(file.path), partitioning=None) for file in found.files]
    return pa.concat_tables(tables)


@pytest.mark.parametrize(
    ("name", "kind", "specs"),
    [
        ("v2_mor", FileKind.POSITION_DELETES, {0, 2}),
        ("v3_dv", FileKind.DELETION_VECTORS, {0}),
        ("equality", FileKind.EQUALITY_DELETES, {0}),
    ],
)
def test_there_was_something_to_delete(
    pointers: Mapping[str, str], tmp_path: Path, name: str, kind: FileKind, specs: set[int]
):
    found = rewritten(pointers[name], tmp_path)
    assert {delete.kind for group in found.plan.groups for delete in group.deletes} == {kind}
    assert {group.spec_id for group in found.plan.groups} == specs
    before = sum(group.records for group in found.plan.groups)
    assert before > sum(file.records for file in found.files)


def test_a_lost_lineage_is_seen(
    pointers: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spoilt = "CASE WHEN number > 1 THEN number END"
    monkeypatch.setattr(group_query._Select, "_lineage_of", lambda *_: spoilt)
    with pytest.raises(PermanentError, match="rows without _row_id before"):
        rewritten(pointers["v3_dv"], tmp_path)


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


def test_a_table_without_rows_is_refused(pointers: Mapping[str, str], tmp_path: Path):
    with pytest.raises(CompactionRefusedError, match="it has no snapshot"):
        rewritten(pointers["empty"], tmp_path)
