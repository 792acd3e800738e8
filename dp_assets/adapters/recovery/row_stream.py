"""Rows that another reader gives, asked for by DuckDB as it goes: one batch for each thread."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator


@contextmanager
def streamed(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    to: duckdb.DuckDBPyConnection,
    name: str,
) -> Generator[None, None, None]:
    """Rows as ``name``, for one query of the statement's body.

    Args:
        batches: rows; whatever is raised by asking for them is raised by the statement as it is.
        schema: columns and types that DuckDB is to see.
        to: reads them, from threads of its own.
        name: to call them by in SQL.
    """
    failed: list[BaseException] = []
    rows = pa.RecordBatchReader.from_batches(schema, _cast(batches, schema, failed))
    # The bare stream: of an object of PyArrow's, DuckDB 1.5.5 has PyArrow's scanner read ahead of
    # a query that is slower, without end.
    to.register(name, rows.__arrow_c_stream__())
    try:
        yield
    except duckdb.Error:
        if failed:
            raise failed[0] from None
        raise
    finally:
        to.unregister(name)


def _cast(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, failed: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in batches:
            yield batch.cast(schema)
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        failed.append(error)
        raise
