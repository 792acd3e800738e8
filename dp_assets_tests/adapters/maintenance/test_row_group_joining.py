"""Parquet files made of others' row groups are read as those were, indexes and filters too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema

from dp_assets.adapters.maintenance.new_files import NewFiles
from dp_assets.adapters.maintenance.row_group_footer import (
    OFFSET_INDEX,
    chunks_of,
    facts_of,
    read_footer,
)
from dp_assets.adapters.maintenance.row_group_joining import join_row_groups
from dp_assets.adapters.maintenance.thrift_compact import BINARY, Reader
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.errors import PermanentError

CREATED_BY = 6  # FileMetaData


@contextmanager
def new_files(folder: Path) -> Iterator[NewFiles]:
    with NewFiles(str(folder), name="new", files=LocalLakeFiles(), staging=folder) as new:
        yield new
        new.keep([])


def joined(paths: list[Path], folder: Path, bytes_per_file: int = 1 << 30) -> list[Path]:
    with new_files(folder) as new:
        return join_row_groups(
            [read_footer(path) for path in paths], new, bytes_per_file=bytes_per_file
        )


def written(folder: Path, count: int, **options: Any) -> list[Path]:
    """Parquet files of two columns, two row groups each, by PyArrow."""
    found: list[Path] = []
    for number in range(count):
        rows = range(number * 100, number * 100 + 100)
        made = pa.table({"n": list(rows), "word": [f"word {row % 7}" for row in rows]})
        path = folder / f"in-{number}.parquet"
        pq.write_table(made, path, row_group_size=50, compression="zstd", **options)
        found.append(path)
    return found


def test_large_groups_become_several_files(tmp_path: Path):
    inputs = written(tmp_path, 4)
    whole = sum(path.stat().st_size for path in inputs)
    found = joined(inputs, tmp_path, bytes_per_file=whole // 3)
    assert len(found) > 1
    rows = pa.concat_tables([pq.read_table(path) for path in found])
    assert rows["n"].to_pylist() == list(range(400))


def test_page_indexes_are_moved(tmp_path: Path):
    """PyArrow reads them to find pages, so a wrong one would find no rows or others."""
    inputs = written(tmp_path, 3, write_page_index=True, data_page_size=64)
    [path] = joined(inputs, tmp_path)
    footer = pq.read_metadata(path)
    columns = [footer.row_group(g).column(c) for g in range(6) for c in range(2)]
    assert all(one.has_offset_index and one.has_column_index for one in columns)
    assert offsets_of_first_pages(path) == [one.data_page_offset for one in columns]


def offsets_of_first_pages(path: Path) -> list[int]:
    """As the offset indexes in the file say."""
    content, footer = path.read_bytes(), read_footer(path)
    chunks = [chunk for group in footer.row_groups for chunk in chunks_of(group)]
    indexes = [Reader(content, chunk[OFFSET_INDEX][1]).struct() for chunk in chunks]
    return [index[1][1].values[0][1][1] for index in indexes]


def test_bloom_filters_are_found_where_they_are_now(tmp_path: Path):
    inputs = [tmp_path / f"in-{number}.parquet" for number in range(3)]
    asked = "SELECT bloom_filter_excludes FROM parquet_bloom_probe('{}', 'n', {})"
    with duckdb.connect() as connection:
        for path in inputs:
            connection.execute(
                f"COPY (SELECT i % 97 * 1000 AS n FROM range(10000) AS t(i)) TO '{path}' "
                "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 4096)"
            )
        [path] = joined(inputs, tmp_path)
        held = connection.execute(asked.format(path, 5000)).fetchall()
        absent = connection.execute(asked.format(path, 5001)).fetchall()
    assert held == [(False,)] * 9
    assert absent == [(True,)] * 9


def test_only_words_that_all_files_have_are_kept(tmp_path: Path):
    paths = [tmp_path / f"in-{number}.parquet" for number in range(2)]
    for number, path in enumerate(paths):
        words = {"same": "for all", "number": str(number)}
        pq.write_table(pa.table({"n": [number]}).replace_schema_metadata(words), path)
    [path] = joined(paths, tmp_path)
    kept = pq.read_metadata(path).metadata or {}
    assert (kept.get(b"same"), kept.get(b"number")) == (b"for all", None)
    assert pq.read_table(path)["n"].to_pylist() == [0, 1]


def test_files_of_other_writers_are_not_alike(tmp_path: Path):
    """Readers judge statistics by the writer, and the new file can name only one."""
    [path] = written(tmp_path, 1)
    footer = read_footer(path)
    other = replace(footer, metadata={**footer.metadata, CREATED_BY: (BINARY, b"parquet-mr 1.0")})
    facts = [facts_of(one, Schema()) for one in (footer, other)]
    assert facts[0].alike != facts[1].alike
    assert [one.codecs for one in facts] == [frozenset({"ZSTD"})] * 2


def test_integers_have_no_annotation(tmp_path: Path):
    """DuckDB annotates them, which Spark does not read once such a column is widened."""
    [source, target] = [tmp_path / "in.parquet", tmp_path / "new-0.parquet"]
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 :: INTEGER AS n) TO '{source}' (FORMAT parquet)")
    assert joined([source], tmp_path) == [target]
    kinds = [pq.ParquetFile(path).schema.column(0).logical_type.type for path in (source, target)]
    assert kinds == ["INT", "NONE"]


@pytest.mark.parametrize("cut", [0, 4, 30])
def test_a_file_that_is_cut_short_is_damaged(tmp_path: Path, cut: int):
    [path] = written(tmp_path, 1)
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    with pytest.raises(PermanentError, match="plain Parquet"):
        read_footer(path)


def test_a_footer_that_names_pages_outside_is_damaged(tmp_path: Path):
    """The footer of a larger file behind a part of its pages."""
    [path] = written(tmp_path, 1)
    content, footer = path.read_bytes(), read_footer(path)
    path.write_bytes(content[: footer.start // 2] + content[footer.start :])
    with pytest.raises(PermanentError, match="outside"):
        joined([path], tmp_path)
