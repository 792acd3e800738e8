"""How every verb answers: for people on a terminal, plain lines elsewhere, JSON when asked.

Standard output carries the answer only; progress goes to standard error.
"""

import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Scalar = str | int | float | bool | None


class Panel(StrEnum):
    """The headings of ``dp --help``; they come in the order of their first verb."""

    SET_UP = "Set up"
    LOOK = "Look"
    CHANGE = "Change"
    RUN = "Run"
    MAINTAIN = "Maintain"
    BACK_UP = "Back up and prove"
    RECOVER = "Recover"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value that people read in other words: JSON has ``value``, everything else ``text``."""

    value: Scalar
    text: str


_WHOLE_CHARACTERS = 40  # names in a first column up to here are not broken into lines
Cell = Scalar | Shown
Advance = Callable[[int], None]


def examples(*commands: str) -> str:
    """An epilog for ``--help`` with one command per line."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


@dataclass(frozen=True, slots=True)
class Output:
    """One verb's answer. With ``json``, it is the one table, mapping or document printed."""

    json: bool = False

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Rows under a title ("" for none); in JSON an array of objects, without the title."""
        body = [tuple(row) for row in rows]
        if self.json:
            names = [_json_name(column) for column in columns]
            self.document([dict(zip(names, map(_value, row), strict=True)) for row in body])
        elif sys.stdout.isatty():
            _rich_table(title, columns, body)
        else:
            _plain_table(title, columns, body)

    def facts(self, facts: Mapping[str, Cell]) -> None:
        """Names and values, one per line; in JSON one object."""
        if self.json:
            self.document({_json_name(name): _value(cell) for name, cell in facts.items()})
            return
        width = max((len(name) for name in facts), default=0)
        for name, cell in facts.items():
            typer.echo(f"{name:<{width}}  {_text(cell)}".rstrip())

    def line(self, text: str) -> None:
        """A sentence for people; nothing in JSON."""
        if not self.json:
            typer.echo(text)

    def document(self, value: object) -> None:
        """The whole answer of a verb that prints several things otherwise; only in JSON."""
        if self.json:
            from json import dumps  # its import costs `dp --help` more than its worth

            typer.echo(dumps(value, indent=2, ensure_ascii=False, default=str))

    @contextmanager
    def progress(self, total: int, label: str) -> Generator[Advance, None, None]:
        """A bar on a terminal, nothing elsewhere; call what it gives with the steps just done."""
        if self.json or not sys.stderr.isatty():
            yield _no_advance
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(_printable(label), total=total)
            yield lambda steps: bar.update(task, advance=steps)


def _no_advance(steps: int) -> None:
    del steps


def _plain_table(title: str, columns: Sequence[str], rows: list[tuple[Cell, ...]]) -> None:
    """Two spaces between columns, so that awk and cut -c work; one line per row."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    numeric = _numeric(columns, rows)
    if title:
        typer.echo(title)
    for row in [list(columns), *texts]:
        cells = zip(row, widths, numeric, strict=True)
        line = "  ".join(f"{t:>{w}}" if right else f"{t:<{w}}" for t, w, right in cells)
        typer.echo(line.rstrip())


def _rich_table(title: str, columns: Sequence[str], rows: list[tuple[Cell, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=None if rows else "none",
        caption_justify="left",
    )
    texts = [[_text(cell) for cell in row] for row in rows]
    for i, (column, right) in enumerate(zip(columns, _numeric(columns, rows), strict=True)):
        whole = i == 0 and all(len(row[0]) <= _WHOLE_CHARACTERS for row in texts)
        justify = "right" if right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=whole)
    for row in texts:
        table.add_row(*map(Text, row))
    Console().print(table)


def _numeric(columns: Sequence[str], rows: list[tuple[Cell, ...]]) -> list[bool]:
    """Which columns hold numbers only, apart from what is unknown."""
    values = [[_value(row[i]) for row in rows] for i in range(len(columns))]
    known = [[v for v in column if v is not None] for column in values]
    return [
        bool(column) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in column)
        for column in known
    ]


def _value(cell: Cell) -> Scalar:
    return cell.value if isinstance(cell, Shown) else cell


def _text(cell: Cell) -> str:
    if isinstance(cell, Shown):
        return _printable(cell.text)
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.6g}" if isinstance(cell, float) else _printable(str(cell))


def _printable(text: str) -> str:
    """Control characters escaped: a table's name must not move the cursor or break a row."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _json_name(column: str) -> str:
    return column.lower().replace(" ", "_")
