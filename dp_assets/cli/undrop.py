"""`dp undrop` and `dp rollback`: one table back in its own place."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.output import JsonFlag, Output, Panel, examples
from dp_assets.cli.restore import AsOfFlag, KeyFlag, PointFlag, RepositoryFlag
from dp_assets.cli.transfer import transfer

if TYPE_CHECKING:
    from dp_assets.domains.lake.rollback import RollbackPlan
    from dp_assets.usecases.backup.undropping import UndropPlan

DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]
NameArgument = Annotated[str, typer.Argument(help="namespace.table")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "undrop",
        rich_help_panel=Panel.RECOVER,
        epilog=examples("dp undrop raw.flights --dry-run", "dp undrop raw.flights --yes"),
    )(undrop)
    app.command(
        "rollback",
        rich_help_panel=Panel.RECOVER,
        epilog=examples(
            "dp table raw.flights --history", "dp rollback raw.flights --to 174548353393719049"
        ),
    )(rollback)


def undrop(
    name: NameArgument,
    *,
    point: PointFlag = None,
    as_of: AsOfFlag = "",
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also when the table has moved on since.")
    ] = False,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Put a dropped or damaged table back under its own name and paths, history included."""
    from dp_assets.cli.restore import open_repository, wanted_of
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.undropping import plan_undrop
    from dp_assets.usecases.backup.undropping import undrop as put_back

    out = Output(json=as_json)
    with opened(doing="dp undrop") as lake:
        source = open_repository(lake.settings, repository, key or ())
        wanted = wanted_of(point, as_of, replace=replace)
        with transfer(out, 0, "comparing") as advance:
            plan = plan_undrop(lake, source, name, wanted, on_bytes=advance)
        _show_undrop(out, plan)
        if plan.is_needed and not dry_run:
            confirm(f"put {plan.table} back?", yes=yes)
            with transfer(out, plan.bytes, "putting back") as advance:
                put_back(lake, source, plan, on_bytes=advance)
            out.line(f"{plan.table} is back: {plan.pointer}")
    out.document(_undrop_document(plan, done=plan.is_needed and not dry_run))


def rollback(
    name: NameArgument,
    *,
    to: Annotated[int, typer.Option(metavar="SNAPSHOT", help="From 'dp table NAME --history'.")],
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an older snapshot of a table the current one; the later ones stay until they expire."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.rolling_back import planned_rollback, roll_back

    out = Output(json=as_json)
    with opened(doing="dp rollback") as lake:
        plan = planned_rollback(lake, name, to)
        _show_rollback(out, plan)
        if not dry_run:
            confirm(f"roll {plan.table} back?", yes=yes)
            roll_back(lake, plan)
            out.line(f"{plan.table} is at snapshot {plan.target}")
    out.document(_rollback_document(plan, done=not dry_run))


def _show_undrop(out: Output, plan: "UndropPlan") -> None:
    if out.json:
        return
    out.facts(
        {
            "table": str(plan.table),
            "from point": f"{plan.point.number}, {cells.time(plan.point.cut_at_ms)}",
            "rows then": cells.count(plan.line.rows),
            "snapshots then": cells.count(plan.line.snapshots),
            "files": cells.count(len(plan.content.files)),
            "missing": cells.count(len(plan.missing)),
            "different": cells.count(len(plan.different)),
            "to write": cells.size(plan.bytes),
            "pointer now": plan.current or "none: the table is dropped",
            "pointer then": plan.pointer,
        }
    )
    if plan.lost_log:
        out.line(
            f"earlier metadata files that are gone and stay so: {len(plan.lost_log)}. The newest "
            "has the whole history, and no reader needs them; 'dp repair' finds no earlier state "
            "of the table until its next commit."
        )
    if not plan.is_needed:
        out.line("nothing to do: the table is as the recovery point has it")


def _undrop_document(plan: "UndropPlan", *, done: bool) -> dict[str, object]:
    return {
        "table": str(plan.table),
        "point": plan.point.number,
        "files": len(plan.content.files),
        "missing": [stored.file.path for stored in plan.missing],
        "different": [stored.file.path for stored in plan.different],
        "metadata_log_lost": list(plan.lost_log),
        "bytes": plan.bytes,
        "pointer": plan.pointer,
        "pointer_before": plan.current or None,
        "done": done,
    }


def _show_rollback(out: Output, plan: "RollbackPlan") -> None:
    if out.json:
        return
    out.facts(
        {
            "table": str(plan.table),
            "snapshot now": str(plan.head),
            "rows now": cells.count(plan.head_rows),
            "snapshot then": str(plan.target),
            "committed": cells.time(plan.target_at_ms),
            "rows then": cells.count(plan.target_rows),
            "commits given up": cells.count(len(plan.given_up)),
        }
    )


def _rollback_document(plan: "RollbackPlan", *, done: bool) -> dict[str, object]:
    return {
        "table": str(plan.table),
        "snapshot": plan.target,
        "snapshot_before": plan.head,
        "rows": plan.target_rows,
        "rows_before": plan.head_rows,
        "given_up": list(plan.given_up),
        "done": done,
    }
