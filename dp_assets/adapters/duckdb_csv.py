"""One CSV file read by DuckDB with declared types, and where exactly it does not fit them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb

from dp_assets.core.errors import PermanentError

_SHOWN_CHARACTERS = 40
_DAY = "TRY(make_date(year, month, day))"
# read_csv of DuckDB 1.5.5 turns text that is no TIMESTAMPTZ into null without an error, so such a
# column is read as text and cast by us.
_CAST_BY_US = frozenset({"TIMESTAMPTZ"})


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file with exactly the columns of ``types`` in the order of ``header``; NA is null."""

    path: Path
    types: Mapping[str, str]
    header: tuple[str, ...]

    @classmethod
    def open(cls, path: Path, types: Mapping[str, str]) -> Self:
        """Read the header; columns may come in any order.

        Raises PermanentError when it lacks a column, or has an unknown or repeated one.
        """
        header = _header(path)
        missing = [name for name in types if name not in header]
        extra = [name for name in header if name not in types]
        repeated = sorted({name for name in header if header.count(name) > 1})
        for names, problem in ((missing, "lacks"), (extra, "has unknown"), (repeated, "repeats")):
            if names:
                raise PermanentError(
                    f"{path} {problem} column{'s' * (len(names) > 1)} {', '.join(names)}",
                    hint=f"its header must be: {','.join(types)}",
                )
        return cls(path, types, header)

    def rows(self) -> str:
        """A query for every row."""
        casts = [f"CAST({name} AS {self.types[name]}) AS {name}" for name in self._cast_by_us()]
        replaced = f" REPLACE ({', '.join(casts)})" if casts else ""
        return f"SELECT *{replaced} FROM {self._scan()}"

    def rows_of_days(self, day_column: str) -> str:
        """A query for the rows of ``$days``, with ``day_column`` in front.

        A row whose year, month and day are no date is among them, so that none is lost in silence.
        """
        dated = f"SELECT {_DAY} AS {day_column}, * FROM ({self.rows()})"
        return (
            f"SELECT * FROM ({dated}) "
            f"WHERE {day_column} IS NULL OR {day_column} IN (SELECT unnest($days))"
        )

    def misfit(self) -> PermanentError | None:
        """The first place that does not fit the types; None when all does."""
        with duckdb.connect() as own:
            own.execute("SET TimeZone = 'UTC'")
            return self._rejected(own) or self._not_cast(own)

    def undated(self) -> PermanentError | None:
        """The first row whose year, month and day are no date, or None."""
        with duckdb.connect() as own:
            found = own.execute(self._numbered("year, month, day", where=f"{_DAY} IS NULL"))
            row = found.fetchone()
        if row is None:
            return None
        shown = "-".join("NA" if part is None else str(part) for part in row[1:])
        return PermanentError(
            f"{self.path} line {row[0]}, columns year, month, day: {shown!r} is no date",
            hint="correct the line; a row without a date belongs to no day",
        )

    def _rejected(self, own: duckdb.DuckDBPyConnection) -> PermanentError | None:
        tolerant = self._scan(", store_rejects=true")
        own.execute(f"CREATE TEMP TABLE readable AS SELECT * FROM {tolerant}")
        found = own.execute(
            "SELECT line, column_name, column_idx, error_type, csv_line, error_message "
            "FROM reject_errors ORDER BY line, column_idx LIMIT 1"
        ).fetchone()
        if found is None:
            return None
        line, column, index, kind, text, message = found
        if kind == "CAST":
            return self._wrong_value(line, column, next(csv.reader([text]))[index - 1])
        shown = text.partition("\n")[0][:_SHOWN_CHARACTERS]
        return PermanentError(
            f"{self.path} line {line}: {message.partition(chr(10))[0]} (it begins {shown!r})",
            hint=f"a line has {len(self.types)} fields of UTF-8 text",
        )

    def _not_cast(self, own: duckdb.DuckDBPyConnection) -> PermanentError | None:
        for column in self._cast_by_us():
            wrong = f"{column} IS NOT NULL AND TRY_CAST({column} AS {self.types[column]}) IS NULL"
            found = own.execute(self._numbered(column, where=wrong)).fetchone()
            if found is not None:
                return self._wrong_value(found[0], column, found[1])
        return None

    def _wrong_value(self, line: int, column: str, value: str) -> PermanentError:
        return PermanentError(
            f"{self.path} line {line}, column {column}: {value[:_SHOWN_CHARACTERS]!r} is no "
            f"{self.types[column]}",
            hint="correct the value, or write NA where there is none",
        )

    def _numbered(self, columns: str, *, where: str) -> str:
        """A query for line number and ``columns`` of the first row ``where``."""
        numbered = f"SELECT row_number() OVER () + 1 AS line, {columns} FROM {self._scan()}"
        return f"SELECT * FROM ({numbered}) WHERE {where} ORDER BY line LIMIT 1"

    def _cast_by_us(self) -> list[str]:
        return [name for name, kind in self.types.items() if kind in _CAST_BY_US]

    def _scan(self, options: str = "") -> str:
        late = self._cast_by_us()
        kinds = {name: "VARCHAR" if name in late else self.types[name] for name in self.header}
        columns = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in kinds.items())
        return (
            f"read_csv({_quoted(str(self.path))}, columns={{{columns}}}, auto_detect=false, "
            f"header=true, delim=',', quote='\"', nullstr='NA'{options})"
        )


def _header(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as lines:
            first = lines.readline().decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise PermanentError(
            f"{path} line 1 is not UTF-8 text: {error.reason} at byte {error.start}",
            hint="save it as UTF-8",
        ) from error
    except OSError as error:
        raise PermanentError(
            f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    return tuple(next(csv.reader([first]), ()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
