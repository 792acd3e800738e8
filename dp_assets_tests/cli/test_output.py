"""One answer in three forms: on a terminal, in a pipe, as JSON."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from dp_assets.cli.output import Output, Shown

ROWS = [("raw.flights", 336776, Shown(2048, "2.00 KiB"), True), ("raw.x", None, None, False)]
COLUMNS = ("table", "rows", "Data size", "mine")


def on_terminal(program, *, columns=80, **env):
    """What ``program`` writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    variables = {
        **{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": str(columns),
        "TERM": "xterm",
        **env,
    }
    subprocess.run(
        [sys.executable, "-c", "from dp_assets.cli.output import *\n" + program],
        env=variables,
        stdout=theirs,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        text += part
    os.close(ours)
    return text.decode()


def test_a_pipe_gets_aligned_lines_with_numbers_to_the_right(capsys):
    Output().table("Tables", COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "Tables",
        "table          rows  Data size  mine",
        "raw.flights  336776   2.00 KiB  yes",
        "raw.x             -          -  no",
    ]


def test_json_has_the_values_and_nothing_else(capsys):
    out = Output(json=True)
    out.line("for people")
    with out.progress(3, "working") as advance:
        advance(3)
    out.table("Tables", COLUMNS, ROWS)
    assert json.loads(capsys.readouterr().out) == [
        {"table": "raw.flights", "rows": 336776, "data_size": 2048, "mine": True},
        {"table": "raw.x", "rows": None, "data_size": None, "mine": False},
    ]


def test_an_empty_table_still_has_its_columns(capsys):
    Output().table("", ("a", "b"), [])
    assert capsys.readouterr().out == "a  b\n"
    Output(json=True).table("", ("a", "b"), [])
    assert json.loads(capsys.readouterr().out) == []


def test_facts_are_aligned_or_one_object(capsys):
    facts = {"rows": 3, "share of it": 0.123456789, "none": None}
    Output().facts(facts)
    assert capsys.readouterr().out == "rows         3\nshare of it  0.123457\nnone         -\n"
    Output(json=True).facts(facts)
    assert json.loads(capsys.readouterr().out) == {
        "rows": 3,
        "share_of_it": 0.123456789,
        "none": None,
    }


def test_a_document_is_for_programs_only(capsys):
    Output().document({"a": 1})
    assert capsys.readouterr().out == ""
    Output(json=True).document({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_names_cannot_break_rows_or_move_the_cursor(capsys):
    Output().table("", ("a",), [("x\ny\x1b[2J",), ("grüße",)])
    assert capsys.readouterr().out.splitlines() == ["a", "x\\ny\\x1b[2J", "grüße"]


def test_a_row_of_another_width_is_a_defect():
    with pytest.raises(ValueError, match="zip"):
        Output().table("", ("a", "b"), [(1,)])


TABLE = "Output().table('Tables', ('name', 'rows'), [('[red]a[/red]', 12), ('q' * 70, 3)])"


def test_a_terminal_gets_a_table_that_fits_and_keeps_every_character():
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(TABLE))
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("q") == 70
    assert "[red]a[/red]" in shown


def test_colour_is_left_out_on_request():
    program = "with Output().progress(2, 'copying') as advance: advance(1)"
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(on_terminal(program))
    assert not colour.search(on_terminal(program, NO_COLOR="1"))


def test_progress_shows_on_a_terminal_only(capsys):
    program = "with Output().progress(2, 'copying') as advance: advance(1); advance(1)"
    assert "copying" in on_terminal(program)
    with Output().progress(2, "copying") as advance:
        advance(2)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
