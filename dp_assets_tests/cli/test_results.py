"""Rows as text: widths that fit the screen, values that stay what they are."""

import json

import pytest

from dp_assets.cli.results import csv_text, fit, json_text, table_lines
from dp_assets.ports.query import Kind, Result, ResultColumn


def result(*rows, columns=(("id", Kind.NUMBER), ("name", Kind.TEXT))) -> Result:
    return Result(tuple(ResultColumn(*c) for c in columns), iter([list(rows)] if rows else []))


@pytest.mark.parametrize(
    ("widths", "width", "expected"),
    [
        ([3, 5], 80, [3, 5]),
        ([3, 100], 40, [3, 35]),
        ([60, 60], 62, [30, 30]),
        ([4, 60, 60], 68, [4, 30, 30]),
        ([20] * 10, 38, [8, 8, 8, 8]),
        ([100], 5, [8]),
    ],
)
def test_the_widest_columns_give_way_first(widths, width, expected):
    assert fit(widths, width) == expected


def test_columns_that_do_not_fit_are_named():
    columns = tuple((f"column{n}", Kind.TEXT) for n in range(5))
    lines = list(table_lines(result(["x" * 30] * 5, columns=columns), rows=10, width=30))
    assert max(map(len, lines[:2])) <= 30
    assert lines[1].split() == ["xxxxxxx…"] * 3
    assert lines[2] == "\n2 more columns: column3, column4"


def test_numbers_are_on_the_right_and_null_is_a_word():
    lines = list(table_lines(result(("7", "a"), ("10", None)), rows=10, width=None))
    assert lines == ["id  name", " 7  a", "10  NULL", "\n2 rows"]


def test_a_value_cannot_move_the_cursor_or_break_its_line():
    lines = list(table_lines(result(("1", "a\x1b[2J\nb")), rows=10, width=None))
    assert lines[1] == r" 1  a\x1b[2J\nb"


def test_what_is_not_shown_is_counted():
    lines = list(table_lines(result(*[("1", "a")] * 5), rows=2, width=None))
    assert len(lines) == 4
    assert lines[-1] == "\n5 rows, 2 shown: --format csv or json has all"


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), ("", '""'), ("a,b", '"a,b"'), ('"', '""""'), ("a\nb", '"a\nb"'), (" a", '" a"')],
)
def test_csv_quotes_what_would_be_read_as_something_else(value, written):
    assert "".join(csv_text(result(("1", value)))) == f"id,name\n1,{written}\n"


def test_words_for_no_number_are_quoted_in_nested_values_but_not_in_their_texts():
    columns = (("n", Kind.NESTED),)
    nested = '{"a":NaN,"b":[-Infinity,1.5],"NaN":"say \\"NaN\\" or -Infinity"}'
    [row] = json.loads("".join(json_text(result((nested,), columns=columns))))
    assert row["n"] == {
        "a": "NaN",
        "b": ["-Infinity", 1.5],
        "NaN": 'say "NaN" or -Infinity',
    }


def test_several_batches_are_one_array():
    rows = Result((ResultColumn("id", Kind.NUMBER),), iter([[("1",)], [], [("2",)]]))
    assert json.loads("".join(json_text(rows))) == [{"id": 1}, {"id": 2}]
