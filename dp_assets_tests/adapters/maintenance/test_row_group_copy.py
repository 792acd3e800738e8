"""Files joined from row groups hold the same rows, statistics and indexes."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from dp_assets.adapters.durable_io import DurableFileIO
from dp_assets.adapters.maintenance.duckdb_rewrite import rewriter
from dp_assets.adapters.maintenance.group_rewriting import RewriteSettings
from dp_assets.adapters.maintenance.row_group_footer import (
    read_footer,
)
from dp_assets.adapters.maintenance.row_group_joining import join_row_groups
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.compaction import plan_compaction
from dp_assets.domains.maintenance.row_group_rule import refused_by_footers
from dp_assets.ports.compaction import RewrittenGroup
from dp_assets.ports.recovery import History
from dp_assets.ports.row_groups import FooterFacts, RowGroupRule, TableWants
from dp_assets_tests.adapters.maintenance.rewriting import (
    ALL,
    append,
    delete_positions,
    local,
    new_table,
    parquet_files,
    paths_of,
    rows_of,
    shown,
)

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "text", StringType(), required=False),
    NestedField(3, "f", DoubleType(), required=False),
    NestedField(4, "price", DecimalType(12, 2), required=False),
    NestedField(5, "at", TimestamptzType(), required=False),
    NestedField(6, "tags", ListType(7, StringType(), element_required=False), required=False),
    NestedField(
        8,
        "inside",
        StructType(NestedField(9, "n", IntegerType(), required=False)),
        required=False,
    ),
    NestedField(
        10, "words", MapType(11, StringType(), 12, LongType(), value_required=False), required=False
    ),
)
SEED = 7


def _any_size(footers: Sequence[FooterFacts], wants: TableWants) -> str:
    """The rule, but small row groups will do."""
    return refused_by_footers(
        [_large(one) for one in footers],
        wants,
    )


def _large(one: FooterFacts) -> FooterFacts:
    sizes = tuple(1 << 30 for _ in one.row_group_bytes)
    return FooterFacts(one.path, one.alike, one.is_current, one.codecs, sizes, one.is_whole)


EVERYWHERE = RowGroupRule(
    by_plan=lambda group, _: "deletes" if group.deletes else "", by_footers=_any_size
)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, SCHEMA) as made:
        yield made


def fill(table: Table, files: int = 3, rows: int = 40) -> None:
    """Appends, with row groups of 16 rows."""
    chance = random.Random(SEED)  # noqa: S311 - a test
    with table.transaction() as change:
        change.set_properties({"write.parquet.row-group-limit": "16"})
    for _ in range(files):
        append(table, *(random_row(chance) for _ in range(rows)))


def random_row(chance: random.Random) -> dict[str, Any]:
    return {
        "id": chance.randint(-(2**62), 2**62),
        "text": chance.choice([None, "", "a", "long " * 40]),
        "f": chance.choice([None, float("nan"), -0.0, 1.5, -2.5]),
        "price": None,
        "at": None,
        "tags": chance.choice([None, [], ["x", None]]),
        "inside": chance.choice([None, {"n": 1}, {"n": None}]),
        "words": chance.choice([None, [], [("k", 1), ("l", None)]]),
    }


def rewritten(table: Table, folder: Path, rule: RowGroupRule | None) -> tuple[RewrittenGroup, ...]:
    """Every group, with the proof."""
    files = LocalLakeFiles()
    closure = read_closure(files, table.metadata_location, history=History.CURRENT)
    plan = plan_compaction("n.t", closure, rule=ALL)
    settings = RewriteSettings("128MB", threads=2, staging=folder / "staging", take_over=rule)
    with rewriter(plan, closure, files=files, io=DurableFileIO(), settings=settings) as work:
        return tuple(work.rewrite(group) for group in plan.groups)


def data_pages(path: Path) -> list[list[bytes]]:
    """The column chunks as they are in the file, by row group."""
    content, footer = path.read_bytes(), pq.read_metadata(path)
    found: list[list[bytes]] = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = [group.column(place) for place in range(group.num_columns)]
        starts = [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]
        found.append(
            [
                content[start : start + chunk.total_compressed_size]
                for start, chunk in zip(starts, chunks, strict=True)
            ]
        )
    return found


def test_the_rows_are_the_same_and_no_page_was_written_anew(table: Table, tmp_path: Path):
    fill(table)
    [group] = rewritten(table, tmp_path, EVERYWHERE)
    [file] = group.written
    assert rows_of(table, [group]) == shown(table.scan().to_arrow())
    inputs = [local(one.path) for one in group.group.inputs]
    assert data_pages(local(file.path)) == [p for path in inputs for p in data_pages(path)]
    assert pq.read_metadata(local(file.path)).num_row_groups == 9
    assert len(file.split_offsets) == 9


def test_both_zeros_stay(table: Table, tmp_path: Path):
    """DuckDB's own COPY would make one of them where they share a dictionary."""
    append(table, *({"f": value} for value in [0.0, -0.0] * 8))
    [group] = rewritten(table, tmp_path, EVERYWHERE)
    assert rows_of(table, [group]) == shown(table.scan().to_arrow())


def test_duckdb_reads_it_alike(table: Table, tmp_path: Path):
    fill(table)
    [group] = rewritten(table, tmp_path, EVERYWHERE)
    hashed = "SELECT count(*), sum(hash(t)) FROM read_parquet({}) AS t"
    old = [str(local(one.path)) for one in group.group.inputs]
    new = [str(local(one.path)) for one in group.written]
    with duckdb.connect() as connection:
        before = connection.execute(hashed.format(old)).fetchone()
        assert connection.execute(hashed.format(new)).fetchone() == before


def test_statistics_are_those_of_a_rewrite(table: Table, tmp_path: Path):
    fill(table)
    [[copied]] = [group.written for group in rewritten(table, tmp_path, EVERYWHERE)]
    [[encoded]] = [group.written for group in rewritten(table, tmp_path, None)]
    for name in ("value_counts", "null_counts", "nan_counts", "lower", "upper"):
        assert getattr(copied.statistics, name) == getattr(encoded.statistics, name), name
    assert copied.statistics.column_sizes.keys() == encoded.statistics.column_sizes.keys()
    assert copied.records == encoded.records == 120


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda table: _rename(table), id="renamed"),
        pytest.param(lambda table: _add(table), id="added"),
        pytest.param(lambda table: _widen(table), id="widened"),
        pytest.param(lambda table: _codec(table), id="codec"),
        pytest.param(lambda table: _delete(table), id="deletes"),
    ],
)
def test_what_may_not_be_taken_over_is_rewritten(
    table: Table, tmp_path: Path, change: Callable[[Table], None]
):
    fill(table, files=2, rows=20)
    change(table)
    found = rewritten(table, tmp_path, EVERYWHERE)
    assert rows_of(table, found) == shown(table.scan().to_arrow())
    inputs = [local(one.path) for group in found for one in group.group.inputs]
    pages = {page for path in inputs for group in data_pages(path) for page in group}
    for group in found:
        for file in group.written:
            assert not pages & {page for one in data_pages(local(file.path)) for page in one}


def _rename(table: Table) -> None:
    with table.update_schema() as update:
        update.rename_column("text", "words_of_it")


def _add(table: Table) -> None:
    with table.update_schema() as update:
        update.add_column("more", LongType())


def _widen(table: Table) -> None:
    with table.update_schema() as update:
        update.update_column("inside.n", LongType())


def _codec(table: Table) -> None:
    with table.transaction() as change:
        change.set_properties({"write.parquet.compression-codec": "snappy"})


def _delete(table: Table) -> None:
    delete_positions(table, [(paths_of(table)[0], 3)])


def test_a_wrong_copy_is_proven_wrong_and_leaves_nothing(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each input twice instead of two: as many rows, other content."""
    fill(table, files=2)
    module = "dp_assets.adapters.maintenance.row_group_copy"
    monkeypatch.setattr(
        f"{module}.join_row_groups",
        lambda footers, new, **size: join_row_groups(
            [read_footer(footers[0].path), read_footer(footers[0].path)], new, **size
        ),
    )
    before = parquet_files(tmp_path)
    with pytest.raises(PermanentError, match="the content hash"):
        rewritten(table, tmp_path, EVERYWHERE)
    assert parquet_files(tmp_path) == before
