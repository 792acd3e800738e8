"""`dp maintain`: the operations that keep tables healthy, shown before they are done."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.explaining import Explaining, decision_document, decision_text
from dp_assets.cli.maintain_plan import plan_document, show_plan
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, examples

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Attempt, Operation
    from dp_assets.usecases.maintenance.work import Planner

FIGURES = ("files", "bytes", "rows", "manifests", "snapshots")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "maintain",
        rich_help_panel=Panel.MAINTAIN,
        epilog=examples(
            "dp maintain raw.flights --dry-run --explain",
            "dp maintain raw.flights --only compaction",
            "dp maintain",
        ),
    )(maintain)


def maintain(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="TABLE", help="Tables; without one, what is due of all."),
    ] = None,
    *,
    only: Annotated[
        str, typer.Option(metavar="OPERATION", help="Only this one, such as compaction.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each operation is due, or is not.")
    ] = False,
    allow: Annotated[
        bool, typer.Option("--allow", help="Orphans: also very many, or much of the table.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Expire snapshots, merge manifests, compact small files, find orphans.

    A table that is named is maintained whether or not it is due; 'dp why TABLE' says what is due.
    No file is deleted: what is no longer needed waits in the trash. Ends with 1 when an operation
    on a table that was named is refused.
    """
    from dp_assets.adapters.lean_process import lean_process

    out = Output(json=as_json)
    with lean_process():
        done = _all(out, names or (), only=only, dry_run=dry_run, explained=explain, allow=allow)
    out.document(done)
    _end({one.get("outcome") for one in done}, is_named=bool(names))


def _all(
    out: Output, names: "Sequence[str]", *, only: str, dry_run: bool, explained: bool, allow: bool
) -> list[dict[str, object]]:
    """Every operation that is asked for, on every table that is."""
    from dp_assets.adapters.lease_owner import owner_text
    from dp_assets.cli.why import operation_called
    from dp_assets.core.units import now_ms
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.maintenance.wanting import wanted

    run_id = owner_text("dp maintain")
    with opened(doing="dp maintain") as lake:
        jobs = wanted(lake, names, operation_called(only), now_ms=now_ms())
        if not jobs:
            out.line("nothing is due; 'dp why TABLE' says why, 'dp maintain TABLE' does it anyway")
        planners = _planners(lake, allow=allow, is_named=bool(names))
        why = Explaining(lake, now_ms=now_ms()) if explained else None
        done = [
            _one(lake, out, *job, run_id=run_id, dry_run=dry_run, why=why, planners=planners)
            for job in jobs
        ]
        if not dry_run:
            lake.flush()
    return done


def _planners(lake: "Lakehouse", *, allow: bool, is_named: bool) -> "dict[Operation, Planner]":
    """A person who names a table has all of it compacted, its hot partitions, too."""
    from functools import partial

    from dp_assets.core.units import now_ms
    from dp_assets.ports.maintenance import Operation
    from dp_assets.usecases.maintenance.compaction_work import (
        plan_compaction_work,
        plan_whole_compaction,
    )
    from dp_assets.usecases.maintenance.journaling import read_journal
    from dp_assets.usecases.maintenance.maintaining import PLANNERS
    from dp_assets.usecases.maintenance.orphans_work import sweep_planner

    compaction = plan_whole_compaction
    if not is_named:
        compaction = partial(plan_compaction_work, journal=read_journal(lake, now_ms=now_ms()))
    sweep = sweep_planner(lake, allow=allow)
    return {**PLANNERS, Operation.COMPACTION: compaction, Operation.ORPHANS: sweep}


def _end(ends: "Collection[object]", *, is_named: bool) -> None:
    """The exit code by how operations ended."""
    from dp_assets.ports.maintenance import Outcome

    if str(Outcome.UNKNOWN) in ends:
        raise typer.Exit(ExitCode.OUTCOME_UNKNOWN)
    if str(Outcome.FAILED) in ends:
        raise typer.Exit(ExitCode.OPERATION_FAILED)
    if is_named and str(Outcome.REFUSED) in ends:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _one(
    lake: "Lakehouse",
    out: Output,
    table: "TableId",
    operation: "Operation",
    *,
    run_id: str,
    dry_run: bool,
    why: "Explaining | None",
    planners: "Mapping[Operation, Planner]",
) -> dict[str, object]:
    """One operation on one table; a failure is said and stops no other."""
    from dp_assets.core.errors import LakeError, OutcomeUnknownError
    from dp_assets.core.units import now_ms
    from dp_assets.ports.maintenance import Outcome
    from dp_assets.usecases.maintenance.holding import contention
    from dp_assets.usecases.maintenance.maintaining import maintain, plan

    about: dict[str, object] = {"table": str(table), "operation": str(operation)}
    try:
        if why:
            decision = why.decision(table, operation)
            out.line(decision_text(decision))
            about["why"] = decision_document(decision)
        planned = plan(lake, table, operation, now_ms=now_ms(), planners=planners)
        show_plan(out, planned)
        about["plan"] = plan_document(planned)
        if moved := contention(lake, table, planned.pointer):
            out.line(f"  note: {moved}")
            about["contention"] = moved
        if planned.refused:
            about["outcome"] = str(Outcome.REFUSED)
        if dry_run or not planned.counts:
            return about
        with out.progress(planned.bytes, f"{operation} {table}") as advance:
            attempt = maintain(lake, planned, run_id=run_id, on_bytes=advance)
    except LakeError as error:
        out.line(f"{operation} of {table}: {error.what}\n  hint: {error.hint}")
        ended = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.FAILED
        return {**about, "outcome": str(ended), "problem": error.what}
    if planned.has_work:
        _show_attempt(out, attempt)
    return {
        **about,
        "outcome": str(attempt.outcome),
        "before": attempt.before,
        "after": attempt.after,
    }


def _show_attempt(out: Output, attempt: "Attempt") -> None:
    before, after = attempt.before or {}, attempt.after or {}
    seconds = (attempt.finished_at_ms - attempt.started_at_ms) / 1000
    out.line(f"{attempt.operation} of {attempt.table}: {attempt.outcome} in {seconds:.1f} s")
    if attempt.problem:
        out.line(f"  {attempt.problem}")
    if not out.json:
        out.table(
            "",
            ("", "before", "after"),
            [(name, _figure(name, before), _figure(name, after)) for name in FIGURES],
        )


def _figure(name: str, figures: object) -> Cell:
    value = figures[name] if isinstance(figures, dict) and name in figures else None
    if value is None:
        return None
    return cells.size(value) if name == "bytes" else cells.count(value)
