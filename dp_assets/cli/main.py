"""`dp`, the front door beside Dagster.

To add a verb:

1. Write its function in ``dp_assets/cli/<group>.py``. That file imports typer, `cli.output`,
   `cli.exits` and the standard library at its top, and everything else (settings, lakehouse,
   rich) inside the function: ``dp --help`` loads every file here and must stay instant.
2. Give the file ``def register(app: typer.Typer) -> None``, which calls ``app.command("verb",
   rich_help_panel=Panel.<...>, epilog=examples("dp verb ..."))(function)``, and add
   its file to `GROUPS`. The first line of the function's docstring is its line in ``dp --help``.
3. Take ``as_json: JsonFlag = False`` and print only through ``Output(json=as_json)``.
4. Raise LakeErrors and let them pass: `main` prints them and chooses the exit code. A check that
   found something wrong ends with ``raise typer.Exit(ExitCode.CHECK_FAILED)``.

``--config`` becomes ``DP_CONFIG`` of this process, so that a Dagster started by a verb reads the
same file; a verb just calls ``load_settings()``.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import examples
from dp_assets.core.errors import ConfigurationError, LakeError, OutcomeUnknownError

Register = Callable[[typer.Typer], None]
GROUPS = (
    *("init", "config", "repo"),
    *("doctor", "tables", "table", "query", "status"),
    *("register", "demo", "run", "ui"),
    *("health", "why", "maintain", "trash"),
    *("recovery", "backup", "points", "verify", "drill", "prune", "replicate", "dump"),
    *("restore", "undrop", "fsck", "repair"),
)


class _PanelGroup(TyperGroup):
    """Lists verbs under their panels without rich, which alone would triple the time of --help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, verb in self.commands.items():
            if not verb.hidden:
                panel = getattr(verb, "rich_help_panel", None) or "Verbs"
                panels.setdefault(panel, []).append((name, verb.get_short_help_str(limit=200)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


def _groups() -> Iterator[Register]:
    """Every verb group, in the order of the help."""
    for name in GROUPS:
        yield import_module(f"dp_assets.cli.{name}").register


def build_app() -> typer.Typer:
    """The command line with all its verbs."""
    app = typer.Typer(
        name="dp",
        cls=_PanelGroup,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=examples("dp config", "dp --config prod/lakehouse.yaml config --json"),
    )
    app.callback()(_global_options)
    for register in _groups():
        register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"dp-assets {version('dp-assets')}")
        except PackageNotFoundError:
            typer.echo("dp-assets, not installed (run from its sources)")
        raise typer.Exit


def _global_options(
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="The settings file; default: DP_CONFIG, else ./lakehouse.yaml."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None:
    """An Apache Iceberg lakehouse whose day-2 operations are Dagster assets."""
    if config:
        os.environ["DP_CONFIG"] = str(config.expanduser().absolute())
    del version


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; ``DP_DEBUG=1`` shows tracebacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name must not break a listing
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("dp: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "dp")
        text = error.format_message()
        what = text[:1].lower() + text[1:]
        return _report(what, f"'{path} --help' shows how it is used", ExitCode.BAD_USAGE)
    except LakeError as error:
        if os.environ.get("DP_DEBUG"):
            raise
        return _report(error.what, error.hint, _code_of(error))
    except Exception as error:  # outermost boundary: a defect must not exit with 1
        if os.environ.get("DP_DEBUG"):
            raise
        return _report_unexpected(error)


def _run(argv: list[str]) -> int:
    command = typer.main.get_command(build_app())
    if not argv:
        typer.echo(command.make_context("dp", [], resilient_parsing=True).get_help())
        return ExitCode.BAD_USAGE
    code = int(ExitCode.DONE)
    try:
        with command.make_context("dp", argv) as context:
            command.invoke(context)
    except typer.Exit as end:
        code = end.exit_code
    sys.stdout.flush()
    return code


def _code_of(error: LakeError) -> ExitCode:
    if isinstance(error, ConfigurationError):
        return ExitCode.BAD_USAGE
    if isinstance(error, OutcomeUnknownError):
        return ExitCode.OUTCOME_UNKNOWN
    return ExitCode.OPERATION_FAILED


def _report(what: str, hint: str, code: ExitCode) -> ExitCode:
    typer.echo(f"dp: {what}\nhint: {hint}", err=True)
    return code


def _report_unexpected(error: Exception) -> ExitCode:
    from dp_assets.core.secrets import redact

    return _report(
        f"{type(error).__name__}: {redact(str(error))}",
        "nobody foresaw this failure; DP_DEBUG=1 shows where it happened, please report it",
        ExitCode.OPERATION_FAILED,
    )


if __name__ == "__main__":
    sys.exit(main())
