"""`dp replicate`: the repository in a second place."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.transfer import watched

if TYPE_CHECKING:
    from dp_assets.usecases.backup.replicating import Replicated


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "replicate",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples("dp replicate", "dp replicate /mnt/other/repository --keep --json"),
    )(replicate)


def replicate(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A folder or s3:// address; else replica.url.")
    ] = "",
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep points there that are forgotten here.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Copy what a second place lacks, each object verified.

    Ends with 1 when something could not be copied because it is damaged here.
    """
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.replicating_place import replicate_to

    out = Output(json=as_json)
    with watched(out) as progress:
        done = replicate_to(load_settings(), target, keep=keep, progress=progress)
    _show(out, done)
    if done.damages:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(out: Output, done: "Replicated") -> None:
    from dataclasses import asdict

    from dp_assets.core.units import format_seconds

    if out.json:
        out.document(asdict(done))
        return
    if done.damages:
        rows = [(d.key, d.what, ", ".join(map(str, d.points))) for d in done.damages]
        out.table("damaged here, not copied", ("damaged", "what", "points"), rows)
    out.facts(
        {
            "points copied": len(done.points),
            "objects copied": cells.count(done.objects),
            "copied": cells.size(done.bytes),
            "forgotten there": len(done.forgotten),
            "deleted there": cells.count(done.swept.deleted),
            "not copied": ", ".join(map(str, done.withheld)) or None,
            "newest here": done.state.newest_here,
            "newest there": done.state.newest_there,
            "lag": Shown(done.state.lag_ms, format_seconds(done.state.lag_ms / 1000)),
        }
    )
    if done.damages:
        out.line("'dp verify' says what it breaks; the other points were copied")
