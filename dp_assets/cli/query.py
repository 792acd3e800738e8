"""`dp query`: SQL over the lakehouse."""

import os
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from dp_assets.cli.output import Panel, examples
from dp_assets.cli.results import csv_text, json_text, table_lines
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from dp_assets.ports.query import Result

SCREEN_ROWS, PLAIN_ROWS = 40, 1_000


class Format(StrEnum):
    """How the result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "query",
        rich_help_panel=Panel.LOOK,
        epilog=examples(
            "dp query 'SELECT count(*) FROM raw.flights'",
            "dp query 'FROM raw.flights' --as-of 2013-02-01T12:00:00 --output flights.csv",
            "dp query - < report.sql",
        ),
    )(query)


def query(
    sql: Annotated[
        str, typer.Argument(help="One statement in DuckDB's SQL; - reads it from stdin.")
    ],
    *,
    as_of: Annotated[
        str,
        typer.Option(
            metavar="SNAPSHOT|TIME",
            help="Read the past: a snapshot id, or a time (UTC without offset) for every table.",
        ),
    ] = "",
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: table; for a file, csv.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write to this file; one that is there is replaced.")
    ] = None,
) -> None:
    """Query tables with SQL, as they are now or were then; nothing can be changed."""
    from dp_assets.domains.lake.time_travel import parse_as_of
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.querying import querying

    text = sys.stdin.read() if sql == "-" else sql
    moment = parse_as_of(as_of) if as_of else None
    chosen = form or _format_of(output)
    if output and chosen is Format.TABLE:
        raise ConfigurationError(
            "a table is cut to fit a screen, which a file has not", hint="--format csv or json"
        )
    with opened(doing="dp query") as lake, querying(lake, text, as_of=moment) as result:
        if output is None:
            _write(sys.stdout, _text(result, chosen))
        else:
            with _replacing(output) as stream:
                _write(stream, _text(result, chosen))


def _format_of(output: Path | None) -> Format:
    if output is None:
        return Format.TABLE
    return Format.JSON if output.suffix.lower() == ".json" else Format.CSV


def _text(result: "Result", form: Format) -> Iterator[str]:
    if form is Format.CSV:
        return csv_text(result)
    if form is Format.JSON:
        return json_text(result)
    on_screen = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_screen else None
    lines = table_lines(result, rows=SCREEN_ROWS if on_screen else PLAIN_ROWS, width=width)
    return (f"{line}\n" for line in lines)


def _write(stream: TextIO, texts: Iterator[str]) -> None:
    for text in texts:
        stream.write(text)


@contextmanager
def _replacing(path: Path) -> Generator[TextIO, None, None]:
    """A file that gets its name when it is complete; what was there stays until then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"write {path}: {error.strerror or error}", hint="choose another file with --output"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
