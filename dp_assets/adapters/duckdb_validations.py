"""The reconciliation queries, run by DuckDB: each says what it found in one row."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

import duckdb
import pyarrow as pa

from dp_assets.adapters.duckdb_rows import arrow_schema
from dp_assets.adapters.duckdb_transforms import query_error, read_sql
from dp_assets.core.errors import PermanentError
from dp_assets.ports.tables import TableSpec


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """One expectation, measured.

    Attributes:
        name: of the query and its file.
        expectation: what should be so, in words.
        observed: what was found.
        expected: what should have been found.
        detail: the first ten places where it is not so, and days left out on purpose.
    """

    name: str
    expectation: str
    observed: str
    expected: str
    passed: bool
    detail: str


def run_validations(
    connection: duckdb.DuckDBPyConnection,
    expectations: Mapping[str, str],
    *,
    left_out: Sequence[date] = (),
) -> tuple[ValidationResult, ...]:
    """Run the query of every name in ``expectations``, in that order.

    Args:
        connection: has a view per table of the pipeline, ``<namespace>.<table>``.
        expectations: name of the query -> what it checks, in words.
        left_out: days that a contract refused; listed, and not compared between layers.

    Raises:
        PermanentError: a query could not measure; that is never a pass.
        TransientError: a file could not be read.
    """
    connection.execute("SET TimeZone = 'UTC'")
    days = sorted(set(left_out))
    return tuple(_run(connection, name, text, days) for name, text in expectations.items())


def validation_rows(results: Sequence[ValidationResult], spec: TableSpec) -> pa.Table:
    """``results`` as the rows of ``spec``."""
    return pa.Table.from_pylist([asdict(result) for result in results], schema=arrow_schema(spec))


def _run(
    connection: duckdb.DuckDBPyConnection, name: str, expectation: str, left_out: list[date]
) -> ValidationResult:
    query = read_sql("validation", f"{name}.sql")
    parameters = {"left_out": left_out} if "$left_out" in query else None
    statement = (
        "SELECT CAST(observed AS VARCHAR), CAST(expected AS VARCHAR), CAST(passed AS BOOLEAN), "
        f"coalesce(CAST(detail AS VARCHAR), '') FROM (\n{query}\n)"
    )
    try:
        rows = connection.execute(statement, parameters).fetchall()
    except duckdb.Error as error:
        raise query_error(f"validation {name}", error) from error
    if len(rows) != 1 or None in rows[0]:
        raise PermanentError(
            f"validation {name} returned {rows!r}",
            hint="its query must return one row of observed, expected, passed, none of them null",
        )
    observed, expected, passed, detail = rows[0]
    return ValidationResult(name, expectation, observed, expected, passed, detail)
