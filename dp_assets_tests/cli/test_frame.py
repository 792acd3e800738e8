"""The frame of the command line: what it loads, what it ends with, what it says then."""

import json
import os
import subprocess
import sys

import pytest
import typer

from dp_assets.cli import main as frame
from dp_assets.core.errors import (
    ConfigurationError,
    OutcomeUnknownError,
    PermanentError,
    TransientError,
)

HEAVY = ("dagster", "pyiceberg", "duckdb", "pyarrow", "pydantic", "pandera", "polars", "rich")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """``--config`` sets DP_CONFIG for the process; set it first, so that it is put back."""
    monkeypatch.setenv("DP_CONFIG", "")
    monkeypatch.delenv("DP_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ends_with(monkeypatch):
    """Run a `dp` whose only verb, ``work``, raises what is given."""

    def run(error):
        def register(app):
            @app.command("work", rich_help_panel="Test")
            def work() -> None:
                raise error

        monkeypatch.setattr(frame, "_groups", lambda: (register,))
        return frame.main(["work"])

    return run


def dp(*arguments, program="import sys; from dp_assets.cli.main import main; sys.exit(main())"):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy():
    count = "from dp_assets.cli.main import main; main(['--help']); import sys; "
    done = dp(program=count + "print('LOADED', *sys.modules)")
    loaded = done.stdout.rpartition("LOADED ")[2].split()
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(HEAVY)
    typer_alone = dp(program="import sys, typer; print(len(sys.modules))")
    ours = [name for name in loaded if name.startswith("dp_assets")]
    assert len(loaded) - len(ours) <= int(typer_alone.stdout) + 15


def test_help_lists_every_verb_under_its_panel_within_80_columns(capsys):
    assert frame.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Set up:" in lines
    assert any(line.startswith("  config  Show every setting") for line in lines)
    assert max(map(len, lines)) <= 80


def test_no_arguments_show_the_help_and_are_bad_usage(capsys):
    assert frame.main([]) == 2
    assert capsys.readouterr().out.startswith("Usage: dp ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x", hint="y"), 2),
        (PermanentError("x", hint="y"), 3),
        (TransientError("x", hint="y"), 3),
        (OutcomeUnknownError("x", hint="y"), 4),
    ],
)
def test_our_errors_are_two_lines_and_an_exit_code(ends_with, capsys, error, code):
    assert ends_with(error) == code
    assert capsys.readouterr().err == "dp: x\nhint: y\n"


def test_a_verb_may_end_with_its_own_code(ends_with):
    assert ends_with(typer.Exit(1)) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_one_line(ends_with, capsys, error):
    assert ends_with(error) == 130
    assert capsys.readouterr().err == "dp: interrupted\n"


def test_a_defect_is_no_failed_check_and_shows_no_password(ends_with, capsys):
    assert ends_with(ValueError("cannot connect to postgresql://u:hunter2@h/d")) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first == "dp: ValueError: cannot connect to postgresql://u:***@h/d"
    assert second.startswith("hint: ")


@pytest.mark.parametrize("error", [ConfigurationError("x", hint="y"), ValueError("x")])
def test_debugging_shows_the_traceback(ends_with, monkeypatch, error):
    monkeypatch.setenv("DP_DEBUG", "1")
    with pytest.raises(type(error)):
        ends_with(error)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["confg"], "dp: no such command 'confg'. Did you mean 'config'?\nhint: 'dp --help'"),
        (["config", "--foo"], "dp: no such option: --foo\nhint: 'dp config --help'"),
        (["--config"], "dp: option '--config' requires an argument.\nhint: 'dp --help'"),
    ],
)
def test_a_wrong_command_line_is_bad_usage(capsys, argv, said):
    assert frame.main(argv) == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_reader_that_goes_away_is_no_failure_of_ours():
    write = "import sys; from dp_assets.cli import main as m; import typer\n"
    write += "def g(app):\n  @app.command('w')\n  def w():\n    print('x\\n' * 100_000)\n"
    write += "m._groups = lambda: (g,)\nsys.exit(m.main(['w']))"
    command = f'"{sys.executable}" -c "$PROGRAM" | head -n 1; exit "${{PIPESTATUS[0]}}"'
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PROGRAM": write}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (141, b"x\n", b"")


def test_the_version_is_one_line(capsys):
    assert frame.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("dp-assets")


def test_config_shows_each_value_with_its_source(tmp_path, capsys):
    file = tmp_path / "my.yaml"
    file.write_text("ui:\n  port: 3001\ncatalog:\n  properties:\n    token: hunter2\n")
    assert frame.main(["--config", str(file), "config", "--json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ui.port"] == {"key": "ui.port", "value": 3001, "from": "line 2"}
    assert rows["state"]["value"] == str(tmp_path / ".lakehouse")
    assert rows["state"]["from"] == "default"
    assert rows["catalog.properties.token"]["value"] == "***"
    assert os.environ["DP_CONFIG"] == str(file)


def test_config_names_the_place_of_a_mistake(tmp_path, capsys):
    (tmp_path / "lakehouse.yaml").write_text("ui:\n  prot: 3001\n")
    assert frame.main(["config"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"dp: {tmp_path}/lakehouse.yaml, line 2, ui.prot: unknown key; did you mean ui.port?",
        "hint: 'dp config --keys' lists every key with what it allows and its default",
    ]


def test_config_keys_describe_themselves(capsys):
    assert frame.main(["config", "--keys", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["description"] and row["allowed"] for row in rows)
    assert {"key": "ui.port", "default": 3000}.items() <= next(
        row for row in rows if row["key"] == "ui.port"
    ).items()
