"""`dp prune`, `dp pin`, `dp unpin`: which recovery points stay, and what goes with the others."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.output import JsonFlag, Output, Panel, examples
from dp_assets.cli.restore import RepositoryFlag

if TYPE_CHECKING:
    from dp_assets.usecases.backup.pruning import Pruned, PrunePlan

NumberArgument = Annotated[int, typer.Argument(metavar="POINT", help="The recovery point.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "prune",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples("dp prune --dry-run", "dp prune --yes", "dp prune --forget 7"),
    )(prune)
    app.command(
        "pin",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples("dp pin 12 --note 'before the migration'"),
    )(pin)
    app.command("unpin", rich_help_panel=Panel.BACK_UP, epilog=examples("dp unpin 12"))(unpin)


def prune(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go and why the rest stays.")
    ] = False,
    forget: Annotated[
        list[int] | None,
        typer.Option(metavar="POINT", help="Give up this point, readable or not; repeatable."),
    ] = None,
    repository: RepositoryFlag = "",
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Forget the points that no rule keeps, and delete what only they needed.

    Objects are condemned first and deleted by a later prune, never while a backup runs.
    """
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.pruning_place import open_for_pruning

    out = Output(json=as_json)
    given_up = frozenset(forget or ())
    place = open_for_pruning(load_settings(), repository, given_up=given_up)
    plan = place.plan()
    if not as_json:
        _show_plan(out, plan)
    if dry_run:
        out.document(_plan_document(plan))
        return
    if plan.leaving:
        confirm(f"forget {len(plan.leaving)} of {len(plan.points)} points?", yes=yes)
    done = place.prune()
    _show_done(out, plan, done)


def pin(
    number: NumberArgument,
    *,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why; shown with the point.")] = "",
    repository: RepositoryFlag = "",
) -> None:
    """Keep a recovery point until it is unpinned."""
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.pruning_place import pin_point

    pin_point(load_settings(), repository, number, note=note)
    Output().line(f"recovery point {number} is pinned")


def unpin(number: NumberArgument, *, repository: RepositoryFlag = "") -> None:
    """Let the retention rules decide about a recovery point again."""
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.pruning_place import unpin_point

    unpin_point(load_settings(), repository, number)
    Output().line(f"recovery point {number} is not pinned any more")


def _show_plan(out: Output, plan: "PrunePlan") -> None:
    rows = [(p.number, "stays" if p.reasons else "goes", ", ".join(p.reasons)) for p in plan.points]
    out.table("", ("point", "verdict", "why"), rows)
    out.facts(
        {
            "points that go": len(plan.leaving),
            "objects no point will need": cells.count(len(plan.unneeded.names)),
            "their size": cells.size(plan.unneeded.bytes),
        }
    )


def _plan_document(plan: "PrunePlan") -> dict[str, object]:
    return {
        "points": [{"number": p.number, "reasons": list(p.reasons)} for p in plan.points],
        "leaving": list(plan.leaving),
        "unneeded_objects": len(plan.unneeded.names),
        "unneeded_bytes": plan.unneeded.bytes,
    }


def _show_done(out: Output, plan: "PrunePlan", done: "Pruned") -> None:
    out.document(
        {
            **_plan_document(plan),
            "forgotten": list(done.forgotten),
            "condemned": done.condemned,
            "deleted": done.swept.deleted,
            "spared": done.swept.spared,
            "waiting": done.swept.waiting,
            "postponed": done.postponed,
        }
    )
    out.line(f"forgot {len(done.forgotten)} points")
    if done.postponed:
        out.line(f"nothing was deleted yet: {done.postponed}")
        return
    out.line(
        f"condemned {done.condemned} objects, deleted {done.swept.deleted}; "
        f"{done.swept.waiting} wait for a later prune"
    )
