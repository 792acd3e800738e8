"""`dp backup`: make a recovery point."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.transfer import watched
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from dp_assets.ports.recovery import History
    from dp_assets.usecases.backup.point_making import BackupOutcome

Globs = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "backup",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples(
            "dp backup", "dp backup --include 'raw.*' --exclude raw.scratch", "dp backup --json"
        ),
    )(backup)


def backup(
    *,
    include: Annotated[
        Globs, typer.Option(metavar="GLOB", help="Only these tables; default: backup.include.")
    ] = None,
    exclude: Annotated[
        Globs, typer.Option(metavar="GLOB", help="Not these tables; default: backup.exclude.")
    ] = None,
    history: Annotated[
        str,
        typer.Option(metavar="all|refs|current", help="Which snapshots; default: backup.history."),
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Make a recovery point of all tables; ends with 1 when it is incomplete."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.backing_up import back_up, wanted_by
    from dp_assets.usecases.backup.repositories import open_for_writing

    out = Output(json=as_json)
    with opened(doing="dp backup") as lake:
        wanted = wanted_by(
            lake.settings,
            include=tuple(include or ()),
            exclude=tuple(exclude or ()),
            history=_history(history),
        )
        repository = open_for_writing(lake.settings)
        with watched(out) as progress:
            outcome = back_up(
                lake, repository, wanted=wanted, run_id="dp backup", progress=progress
            )
    _show(out, outcome)
    if not outcome.record.complete:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _history(text: str) -> "History | None":
    from dp_assets.ports.recovery import History

    if not text:
        return None
    if text not in tuple(History):
        raise ConfigurationError(
            f"--history {text}: no such history", hint=f"one of {', '.join(History)}"
        )
    return History(text)


def _show(out: Output, outcome: "BackupOutcome") -> None:
    from dp_assets.core.units import format_seconds

    record, lines = outcome.record, outcome.manifest.tables
    bad = [line for line in lines if line.problem]
    facts: dict[str, Cell] = {
        "point": record.number,
        "complete": record.complete,
        "tables": cells.count(record.tables),
        "unchanged": cells.count(outcome.taken_over),
        "files": cells.count(sum(line.files for line in lines)),
        "size": cells.size(record.bytes),
        "copied files": cells.count(sum(line.copied_files for line in lines)),
        "copied": cells.size(record.copied_bytes),
        "read again": cells.count(outcome.sampled_files),
        "cut": outcome.manifest.cut,
        "skew ms": outcome.manifest.skew_ms,
        "seconds": Shown(record.seconds, format_seconds(record.seconds)),
        "problem": "; ".join(f"{line.table}: {line.problem}" for line in bad) or None,
        "warnings": "; ".join((*outcome.size_problems, *outcome.warnings)) or None,
    }
    out.facts({name: cell for name, cell in facts.items() if out.json or cell is not None})
