"""DuckDB's errors on a person's SQL, as ours: theirs to mend, or a table that cannot be read."""

from collections.abc import Generator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError

# Values that the SQL asks the impossible of; anything else while reading is the table's fault.
OF_VALUES = ("Conversion Error", "Out of Range Error")
OUT_OF_MEMORY = "Out of Memory Error"
NOT_ALLOWED = "Permission Error"
DAMAGED = "'dp doctor' says whether a table is damaged"
HINTS: dict[type[Exception], str] = {
    duckdb.ParserException: "DuckDB's dialect: duckdb.org/docs/sql/introduction",
    duckdb.CatalogException: "'dp tables' lists the tables; SQL names them namespace.table",
    duckdb.BinderException: "'dp table NAME' shows the columns",
}


@contextmanager
def sql_errors() -> Generator[None, None, None]:
    """While SQL is parsed and bound: DuckDB's words with the position, a ConfigurationError."""
    try:
        yield
    except duckdb.ProgrammingError as error:
        hint = HINTS.get(type(error), "'dp query --help' shows examples")
        raise ConfigurationError(f"{error}", hint=hint) from error
    except duckdb.HTTPException as error:
        raise TransientError(f"{error}", hint="is the object store up?") from error
    except duckdb.Error as error:
        raise _verdict(f"{error}") from error


@contextmanager
def reading_errors() -> Generator[None, None, None]:
    """While rows are computed; Arrow hands on DuckDB's words only."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _verdict(f"{error}") from error


def _verdict(said: str) -> LakeError:
    # A position would be one in the statement that ours became, and the advice is for its shell.
    what = said.split("\n\nLINE ")[0].split("\n\nPossible solutions")[0].strip()
    if what.startswith(OF_VALUES):
        return ConfigurationError(what, hint="TRY_CAST gives NULL where a value does not fit")
    if what.startswith(NOT_ALLOWED):
        return ConfigurationError(
            what, hint="a query opens the files of the tables that it names, and no others"
        )
    if what.startswith(OUT_OF_MEMORY):
        return PermanentError(
            what, hint="raise engines.duckdb.memory_limit in lakehouse.yaml, or ask for less"
        )
    return PermanentError(what, hint=DAMAGED)
