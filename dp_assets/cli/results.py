"""A query's rows as CSV, as JSON, and as a table that fits the screen."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dp_assets.ports.query import Result, ResultColumn, Row

MIN_WIDTH = 8  # characters of a column before whole columns are left out
GAP = "  "
NO_NUMBERS = ("NaN", "Infinity", "-Infinity")  # JSON has none of them
STRING_OR_NO_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
NEEDS_QUOTES = re.compile(r'[",\r\n]|^$|^\s|\s$')


def csv_text(result: "Result") -> Iterator[str]:
    """RFC 4180 with a header; NULL is nothing, an empty text is ``""``."""
    yield ",".join(_csv(column.name) for column in result.columns) + "\n"
    for batch in result.batches:
        yield "".join(",".join(map(_csv, row)) + "\n" for row in batch)


def json_text(result: "Result") -> Iterator[str]:
    """An array with one object per row and line; NaN and infinities are texts."""
    from json import dumps

    names = [dumps(column.name, ensure_ascii=False) for column in result.columns]
    between = "[\n"
    for batch in result.batches:
        for row in batch:
            pairs = zip(names, result.columns, row, strict=True)
            yield between + "{" + ", ".join(f"{n}: {_json(c, v)}" for n, c, v in pairs) + "}"
            between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def table_lines(result: "Result", *, rows: int, width: int | None) -> Iterator[str]:
    """The first ``rows`` rows, cut to ``width`` characters (None: uncut); then their number."""
    if [column.name for column in result.columns] == ["explain_key", "explain_value"]:
        yield from (row[1] or "" for batch in result.batches for row in batch)
        return
    shown: list[Row] = []
    total = 0
    for batch in result.batches:
        shown += batch[: rows - len(shown)]
        total += len(batch)
    yield from _grid(result.columns, shown, width=width)
    noun = "row" if total == 1 else "rows"
    rest = "" if total == len(shown) else f", {len(shown):,} shown: --format csv or json has all"
    yield f"\n{total:,} {noun}{rest}"


def _csv(value: str | None) -> str:
    if value is None:
        return ""
    quoted = value.replace('"', '""')
    return f'"{quoted}"' if NEEDS_QUOTES.search(value) else value


def _json(column: "ResultColumn", value: str | None) -> str:
    if value is None:
        return "null"
    if column.kind == "nested":
        return STRING_OR_NO_NUMBER.sub(_quoted_no_number, value)
    if column.kind == "text" or value in NO_NUMBERS:
        from json import dumps

        return dumps(value, ensure_ascii=False)
    return value


def _quoted_no_number(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else f'"{found[0]}"'


def _grid(
    columns: "Sequence[ResultColumn]", rows: "Sequence[Row]", *, width: int | None
) -> Iterator[str]:
    names = [_printable(column.name) for column in columns]
    texts = [["NULL" if v is None else _printable(v) for v in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    fitting = widths if width is None else fit(widths, width)
    for row in chain([names], texts):
        cells = zip(row, fitting, columns, strict=False)
        yield GAP.join(_cell(t, w, right=c.kind == "number") for t, w, c in cells).rstrip()
    if len(fitting) < len(columns):
        left_out = names[len(fitting) :]
        yield f"\n{len(left_out)} more columns: {_cut(', '.join(left_out), 200)}"


def fit(widths: Sequence[int], width: int) -> list[int]:
    """``widths`` narrowed to fit ``width``, the widest first; columns that do not fit are cut."""
    kept = list(widths)
    while len(kept) > 1 and _together(kept, MIN_WIDTH) > width:
        kept.pop()
    cap = max(kept, default=0)
    while cap > MIN_WIDTH and _together(kept, cap) > width:
        cap -= 1
    return [min(w, cap) for w in kept]


def _together(widths: Sequence[int], cap: int) -> int:
    return sum(min(w, cap) for w in widths) + len(GAP) * (len(widths) - 1)


def _cell(text: str, width: int, *, right: bool) -> str:
    cut = _cut(text, width)
    return f"{cut:>{width}}" if right else f"{cut:<{width}}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _printable(text: str) -> str:
    """Control characters escaped, so that a value cannot move the cursor or break its line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
