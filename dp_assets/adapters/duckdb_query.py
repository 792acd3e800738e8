"""Running a person's SQL on DuckDB: confined to some folders, streamed as exact text."""

from collections.abc import Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from dp_assets.adapters.duckdb_errors import reading_errors, sql_errors
from dp_assets.core.errors import PermanentError
from dp_assets.ports.query import Kind, Result, ResultColumn, Row

BATCH_ROWS = 2_048
INTERRUPTED = "INTERRUPT Error"
INTEGERS = ("tinyint", "smallint", "integer", "bigint", "hugeint")
WHOLE = (*INTEGERS, *(f"u{name}" for name in INTEGERS))
FLOATS = ("float", "double")
TIMES = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone")
NESTED = ("struct", "list", "map", "array", "union", "variant")
# The value itself is #n; text is what DuckDB writes, which is exact for every type.
TEXT = "CAST(#{n} AS VARCHAR)"
FLOAT = (
    f"CASE {TEXT} WHEN 'nan' THEN 'NaN' WHEN 'inf' THEN 'Infinity' WHEN '-inf' THEN '-Infinity' "
    f"ELSE {TEXT} END"
)
TIME = rf"regexp_replace(replace({TEXT}, ' ', 'T'), '\+00$', 'Z')"


def confine(connection: duckdb.DuckDBPyConnection, folders: Iterable[str]) -> None:
    """From here on the connection opens files under ``folders`` only; it cannot be undone."""
    allowed = ", ".join("'" + folder.replace("'", "''") + "'" for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> Result:
    """Start ``sql``, one statement; rows are computed as the result is read.

    Raises:
        ConfigurationError: DuckDB refuses the SQL; its words, and the position.
        PermanentError: reading failed; also later, while the result is read.
    """
    with sql_errors():
        relation = _bound(connection, sql)
    types = [(str(t), t.id) for t in relation.types]
    texts = [_text(*kind).format(n=n) for n, kind in enumerate(types, start=1)]
    texted = relation.project(", ".join(texts))
    names = zip(_unique(relation.columns), types, strict=True)
    columns = tuple(ResultColumn(name, _kind(*kind)) for name, kind in names)
    return Result(columns, _batches(texted))


def _bound(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyRelation:
    try:
        return connection.sql(sql)
    except duckdb.ProgrammingError:
        connection.execute(sql)  # fails likewise, and says at which position
        raise


def _kind(name: str, kind: str) -> Kind:
    if name == "JSON" or kind in NESTED:
        return Kind.NESTED
    if kind in (*WHOLE, *FLOATS, "decimal", "bignum"):
        return Kind.NUMBER
    return Kind.BOOLEAN if kind == "boolean" else Kind.TEXT


def _text(name: str, kind: str) -> str:
    """How a column becomes exact text."""
    if name == "JSON":
        return TEXT
    if kind in NESTED:
        return "CAST(to_json(#{n}) AS VARCHAR)"
    if kind in FLOATS:
        return FLOAT
    if kind in TIMES:
        return TIME
    return "lower(hex(#{n}))" if kind == "blob" else TEXT


def _unique(names: Sequence[str]) -> list[str]:
    """``a``, ``a_1``: no value may hide another of the same name."""
    found: list[str] = []
    for name in names:
        number, unique = 0, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def _batches(relation: duckdb.DuckDBPyRelation) -> Iterator[Sequence[Row]]:
    with reading_errors():
        reader = relation.to_arrow_reader(BATCH_ROWS)
    try:
        while (rows := _next(reader)) is not None:
            yield rows
    except PermanentError as error:
        if error.what.startswith(INTERRUPTED):
            # A streamed result that fails may say only that it was stopped; a whole one says why.
            with reading_errors():
                relation.execute()
        raise


def _next(reader: pa.RecordBatchReader) -> Sequence[Row] | None:
    with reading_errors():
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return None
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
