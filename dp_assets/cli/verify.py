"""`dp verify`: is everything in the repository still what was stored, and what breaks if not."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.restore import KeyFlag, RepositoryFlag
from dp_assets.cli.transfer import watched

if TYPE_CHECKING:
    from dp_assets.domains.backup.verification import Damage, Verified

SHOWN = 5  # names in one cell for people; JSON has them all


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "verify",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples(
            "dp verify",
            "dp verify --full",
            "dp verify --point 12 --full --json",
            "dp verify --repository s3://bucket/backups --key me.key",
            "dp verify --full --mend-from s3://other/copy",
        ),
    )(verify)


def verify(
    *,
    point: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Only what this point needs.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read every object, not only today's share.")
    ] = False,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    mend_from: Annotated[
        str, typer.Option(metavar="URL", help="A replica to put damaged things back from.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Check the repository and name what is damaged and what that breaks.

    Ends with 1 when anything was damaged, even if it could be mended: the next run ends with 0.
    """
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.verifying_place import Asked, verify_place

    out = Output(json=as_json)
    settings = None if repository else load_settings()
    asked = Asked(
        repository=repository,
        key_files=tuple(key or ()),
        point=point,
        full=full,
        mend_from=mend_from,
    )
    with watched(out) as progress:
        outcome = verify_place(settings, asked, progress=progress)
    _show(out, outcome)
    if not outcome.is_whole:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(out: Output, outcome: "Verified") -> None:
    from dataclasses import asdict

    if out.json:
        out.document({"whole": outcome.is_whole, **asdict(outcome)})
        return
    if outcome.damages:
        out.table(
            f"{len(outcome.damages)} damaged",
            ("damaged", "what", "points", "tables", "snapshots", "mended"),
            [_row(damage) for damage in outcome.damages],
        )
    for foreign in outcome.foreign:
        out.line(f"not of this repository, left alone: {foreign}")
    out.facts(
        {
            "points": outcome.points,
            "objects": cells.count(outcome.objects),
            "size": cells.size(outcome.bytes),
            "read": cells.count(outcome.reread),
            "read size": cells.size(outcome.reread_bytes),
            "superfluous": cells.count(outcome.superfluous),
            "superfluous size": cells.size(outcome.superfluous_bytes),
            "damaged": len(outcome.damages),
        }
    )
    if not outcome.explained:
        out.line("which tables are hit is private: give the private key with --key FILE")
    if any(not damage.mended for damage in outcome.damages):
        out.line(
            "the next 'dp backup' stores again what the source still has; "
            "'dp verify --mend-from URL' puts the rest back from a replica"
        )


def _row(damage: "Damage") -> tuple[str, str, Shown, Shown, Shown, bool]:
    tables = damage.tables or tuple(sorted({one.file for one in damage.breaks}))
    return (
        damage.key,
        damage.what,
        _some([str(number) for number in damage.points]),
        _some(list(tables)),
        _some([str(number) for number in damage.snapshots]),
        damage.mended,
    )


def _some(names: list[str]) -> Shown:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    text = ", ".join(names[:SHOWN]) + more
    return Shown(text, text or "-")
