"""What is written is compared before anything names it, and gone when it differs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import IntegerType, LongType, NestedField, StringType

from dp_assets.adapters.maintenance import (
    group_rewriting,
    parquet_copy,
    plain_integers,
)
from dp_assets.adapters.maintenance.file_statistics import MeasuredFile
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.maintenance.rewriting import (
    append,
    delete_positions,
    local,
    new_table,
    parquet_files,
    rewritten,
)

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "text", StringType(), required=False),
    NestedField(3, "small", IntegerType(), required=False),
)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, SCHEMA) as made:
        append(made, {"id": 1, "text": "a"}, {"id": 2, "text": None}, {"id": 3, "text": "c"})
        append(made, {"id": 4, "text": "d"})
        first = next(iter(made.scan().plan_files())).file.file_path
        delete_positions(made, [(first, 0)])
        yield made


def lost(rows: pa.Table) -> pa.Table:
    return rows.slice(1)


def doubled(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(0, 1)])


def swapped(rows: pa.Table) -> pa.Table:
    """Every value is there, in another row."""
    return rows.set_column(1, rows.schema.field(1), rows["text"].combine_chunks()[::-1])


def changed(rows: pa.Table) -> pa.Table:
    return rows.set_column(0, rows.schema.field(0), pc.add(rows["id"], 1))


def emptied(rows: pa.Table) -> pa.Table:
    return rows.set_column(1, rows.schema.field(1), pa.nulls(rows.num_rows, pa.string()))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lost, "rows before"),
        (doubled, "rows before"),
        (swapped, "the content hash"),
        (changed, "the content hash"),
        (emptied, "rows without text before"),
    ],
)
def test_a_file_that_differs_is_refused_and_gone(
    table: Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[pa.Table], pa.Table],
    said: str,
):
    def spoilt(path: Path) -> None:
        pq.write_table(spoil(pq.read_table(path)), path)

    refused(table, tmp_path, monkeypatch, spoilt, said=said)


def test_other_field_ids_are_refused(table, tmp_path, monkeypatch):
    def renumbered(path: Path) -> None:
        rows = pq.read_table(path)
        kept = [
            f.with_metadata({"PARQUET:field_id": str(9 - n)}) for n, f in enumerate(rows.schema)
        ]
        pq.write_table(rows.cast(pa.schema(kept)), path)

    def spoilt(path: Path) -> None:
        plain_integers.remove_annotations(path)
        written.append(path)

    written: list[Path] = []
    measured = group_rewriting.measure_file

    def then(connection, path: Path, **more) -> MeasuredFile:
        found = measured(connection, path, **more)
        renumbered(path)
        return found

    monkeypatch.setattr(group_rewriting, "measure_file", then)
    refused(table, tmp_path, monkeypatch, spoilt, said="other field ids")


def test_deletes_that_were_not_applied_are_seen(table, tmp_path, monkeypatch):
    monkeypatch.setattr(group_rewriting, "applied_deletes", lambda *_: {})
    refused(table, tmp_path, monkeypatch, plain_integers.remove_annotations, said="3 rows before")


def test_wrong_bounds_are_seen(table, tmp_path, monkeypatch):
    measured = group_rewriting.measure_file

    def narrow(*args, **more) -> MeasuredFile:
        found = measured(*args, **more)
        found.statistics.upper[1] = found.statistics.lower[1]  # type: ignore[index]
        return found

    monkeypatch.setattr(group_rewriting, "measure_file", narrow)
    refused(
        table,
        tmp_path,
        monkeypatch,
        plain_integers.remove_annotations,
        said="above its upper bound",
    )


def refused(
    table: Table,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoilt: Callable[[Path], None],
    *,
    said: str,
) -> None:
    before = parquet_files(folder)
    monkeypatch.setattr(parquet_copy, "remove_annotations", spoilt)
    with pytest.raises(PermanentError, match=said):
        rewritten(table.metadata_location, folder)
    assert parquet_files(folder) == before


def test_a_failure_half_way_leaves_nothing(table, tmp_path, monkeypatch):
    def killed(path: Path) -> None:
        assert path.exists()
        raise KeyboardInterrupt

    before = parquet_files(tmp_path)
    monkeypatch.setattr(parquet_copy, "remove_annotations", killed)
    with pytest.raises(KeyboardInterrupt):
        rewritten(table.metadata_location, tmp_path)
    assert parquet_files(tmp_path) == before


def test_a_lost_input_is_an_error_of_ours(table, tmp_path):
    local(next(iter(table.scan().plan_files())).file.file_path).unlink()
    before = parquet_files(tmp_path)
    with pytest.raises(PermanentError, match=r"No files found|No such file"):
        rewritten(table.metadata_location, tmp_path)
    assert parquet_files(tmp_path) == before
