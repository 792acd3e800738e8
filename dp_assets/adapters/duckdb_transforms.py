"""The pipeline's SQL, run by DuckDB: one ``.sql`` resource per table, named after it."""

from collections.abc import Sequence
from datetime import date
from importlib import resources

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dp_assets.adapters.duckdb_rows import empty_rows, typed_rows
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.ports.tables import TableSpec

# The statements live beside the domain whose words they use. They are read as files: no layer
# below the composition root imports the domain.
SQL_PACKAGE = "dp_assets.domains.pipeline"


def transform(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, *, days: Sequence[date] | None
) -> pa.Table:
    """Compute ``spec``'s rows from the views ``<namespace>.<table>`` on ``connection``.

    Sets the session's time zone to UTC.

    Args:
        connection: has a view per table that the statement reads; the features also read the
            seven days before ``min(days)``, and curated flights the weather one day around.
        spec: whose statement to run and which columns to return.
        days: the days to compute; None for a table that is replaced whole.

    Raises:
        PermanentError: the statement and the data do not fit, or memory is too small.
        TransientError: a file could not be read.
    """
    if (days is None) != (spec.day_column is None):
        wanted = "no days" if spec.day_column is None else "days"
        raise PermanentError(f"{spec.table} is computed with {wanted}", hint="see its TableSpec")
    if days is not None and not days:
        return empty_rows(spec)
    parameters: dict[str, object] | None = {"days": list(days)} if days else None
    try:
        return typed_rows(connection, spec, read_sql("sql", f"{spec.table}.sql"), parameters)
    except duckdb.Error as error:
        raise query_error(f"computing {spec.table}", error) from error


def split_by_day(rows: pa.Table, spec: TableSpec, days: Sequence[date]) -> dict[date, pa.Table]:
    """One table per asked day, also for a day without rows; the order of rows is kept.

    Raises PermanentError when a row belongs to no asked day: splitting must not lose it.
    """
    day_of_row = rows.column(_day_column(spec))
    equal = pc.equal  # pyright: ignore[reportAttributeAccessIssue]  # made at import
    parts = {day: rows.filter(equal(day_of_row, pa.scalar(day))) for day in days}
    placed = sum(part.num_rows for part in parts.values())
    if placed != rows.num_rows:
        raise PermanentError(
            f"{rows.num_rows - placed} rows of {spec.table} belong to none of the "
            f"{len(parts)} days asked for",
            hint=f"{_day_column(spec)} of every row must be one of the days",
        )
    return parts


def read_sql(folder: str, name: str) -> str:
    """The text of a statement shipped with the pipeline."""
    return resources.files(SQL_PACKAGE).joinpath(folder, name).read_text(encoding="utf-8")


def query_error(doing: str, error: duckdb.Error) -> LakeError:
    """DuckDB's error as one of ours, in one line."""
    what = f"{doing}: {str(error).partition(chr(10))[0]}"
    if isinstance(error, duckdb.IOException):
        return TransientError(what, hint="a file was gone or unreadable; run it again")
    if isinstance(error, duckdb.OutOfMemoryException):
        return PermanentError(what, hint="raise DuckDB's memory limit or ask for fewer days")
    return PermanentError(what, hint="compare the tables it reads with their contracts")


def _day_column(spec: TableSpec) -> str:
    if spec.day_column is None:
        raise PermanentError(
            f"{spec.table} has no day column", hint="it is replaced whole; do not ask for days"
        )
    return spec.day_column
