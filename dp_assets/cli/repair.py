"""`dp repair`: a damaged table, its lost files put back or, by a person's choice, given up."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.fsck import finding_document, repository_or_reason, show_findings
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, examples
from dp_assets.cli.restore import KeyFlag, RepositoryFlag
from dp_assets.cli.transfer import transfer, watched
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.lake.repairing import ForgetWay, RollBackWay, RowCount, TableRepair
    from dp_assets.lakehouse import Lakehouse


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "repair",
        rich_help_panel=Panel.RECOVER,
        epilog=examples(
            "dp repair raw.flights --dry-run",
            "dp repair raw.flights --yes",
            "dp repair raw.flights --roll-back",
            "dp repair raw.flights --forget",
            "dp repair raw.flights --forward --dry-run",
        ),
    )(repair)


def repair(
    name: Annotated[str, typer.Argument(help="namespace.table")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    roll_back: Annotated[
        bool,
        typer.Option("--roll-back", help="For what cannot come back: to the last whole snapshot."),
    ] = False,
    forget: Annotated[
        bool,
        typer.Option("--forget", help="For what cannot come back: go on without these files."),
    ] = False,
    forward: Annotated[
        bool,
        typer.Option("--forward", help="For a pointer that was set back: to the newest state."),
    ] = False,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Put lost, short and altered files back from the repository; deletes nothing.

    What no recovery point holds is listed with two ways out and what each loses; one is taken
    only when it is asked for. Ends with 1 while the current snapshot is broken.
    """
    if roll_back + forget + forward > 1:
        raise ConfigurationError(
            "--roll-back, --forget and --forward are different ways", hint="choose one"
        )
    if forward:
        _forward(Output(json=as_json), name, dry_run=dry_run, yes=yes)
        return
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.repair_planning import plan_table_repair

    out, done = Output(json=as_json), list[str]()
    with opened(doing="dp repair") as lake:
        source, reason = repository_or_reason(lake.settings, repository, key or ())
        with watched(out) as progress:
            plan = plan_table_repair(lake, source, name, progress=progress)
        _show(out, plan, reason)
        if not dry_run:
            _put_back(out, lake, source, plan, yes=yes, done=done)
            if plan.needs_choice:
                _choose(out, lake, plan, roll_back=roll_back, forget=forget, yes=yes, done=done)
    out.document(_document(plan, reason, done))
    if plan.needs_choice and not dry_run and not {"rolled back", "forgotten"} & set(done):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _forward(out: Output, name: str, *, dry_run: bool, yes: bool) -> None:
    from dataclasses import asdict

    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.moving_forward import move_forward, plan_forward

    with opened(doing="dp repair") as lake:
        plan = plan_forward(lake, name)
        if not out.json:
            out.facts(
                {
                    "table": str(plan.table),
                    "pointer now": plan.pointer,
                    "pointer then": plan.target,
                    "new snapshots": ", ".join(map(str, plan.snapshots)) or "none",
                    "rows then": cells.count(plan.rows),
                }
            )
        if not dry_run:
            confirm(f"move the pointer of {plan.table} forward?", yes=yes)
            move_forward(lake, plan)
            out.line(f"{plan.table} is at {plan.target}")
    out.document({**asdict(plan), "table": str(plan.table), "done": not dry_run})


def _put_back(
    out: Output,
    lake: "Lakehouse",
    source: "Repository | None",
    plan: "TableRepair",
    *,
    yes: bool,
    done: list[str],
) -> None:
    from dp_assets.domains.lake.doctor import counted
    from dp_assets.usecases.backup.table_repairing import put_files_back

    if source is None or not plan.puts_back:
        return
    files = counted(plan.puts_back, "file")
    confirm(f"put {files} of {plan.table} back?", yes=yes)
    with transfer(out, plan.bytes, "putting back") as advance:
        put_files_back(lake, source, plan, on_bytes=advance)
    done.append("put back")
    out.line(f"put back: {files}")


def _choose(
    out: Output,
    lake: "Lakehouse",
    plan: "TableRepair",
    *,
    roll_back: bool,
    forget: bool,
    yes: bool,
    done: list[str],
) -> None:
    from dp_assets.usecases.backup.table_repairing import forget_files, roll_table_back

    if roll_back:
        if plan.roll_back and not plan.roll_back.refused:
            confirm(f"roll {plan.table} back to snapshot {plan.roll_back.target}?", yes=yes)
        roll_table_back(lake, plan)
        done.append("rolled back")
    elif forget:
        if plan.forget and not plan.forget.refused:
            confirm(f"give up {plan.forget.lost} rows of {plan.table}?", yes=yes)
        forget_files(lake, plan)
        done.append("forgotten")
    else:
        out.line("nothing was chosen: --roll-back or --forget does what is said above")
        return
    out.line(
        f"{plan.table}: {done[-1]}; older snapshots that need the lost files stay broken "
        "until they expire"
    )


def _show(out: Output, plan: "TableRepair", reason: str) -> None:
    if out.json:
        return
    if plan.findings:
        show_findings(out, f"{plan.table}: {len(plan.findings)} found", plan.findings)
    if reason:
        out.line(f"nothing can be put back: {reason}")
    if not plan.findings:
        out.line(f"nothing to do: every file of {plan.table} is there and what it was")
        return
    facts: dict[str, Cell] = {
        "files to put back": plan.puts_back,
        "of these in place of others": f"{len(plan.different)}; those go to the trash folder",
        "to write": cells.size(plan.bytes),
        "files in no recovery point": len(plan.left),
    }
    if plan.roll_back and plan.forget:
        facts["rows there should be"] = str(plan.head_rows)
        facts["--roll-back"] = _roll_back_text(plan.roll_back, plan.head_rows)
        facts["--forget"] = _forget_text(plan.forget)
    out.facts(facts)


def _roll_back_text(way: "RollBackWay", now: "RowCount") -> str:
    from dp_assets.domains.lake.doctor import counted

    if way.refused:
        return f"not possible: {way.refused}"
    return (
        f"to snapshot {way.target} of {cells.time(way.at_ms)}: {way.rows} rows instead of {now}, "
        f"{counted(way.given_up, 'commit')} given up"
    )


def _forget_text(way: "ForgetWay") -> str:
    from dp_assets.domains.lake.doctor import counted

    if way.refused:
        return f"not possible: {way.refused}"
    return f"{way.lost} rows lost with {counted(len(way.paths), 'file')}, {way.rows} rows stay"


def _document(plan: "TableRepair", reason: str, done: list[str]) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "table": str(plan.table),
        "findings": [finding_document(finding) for finding in plan.findings],
        "missing": [stored.file.path for stored in plan.missing],
        "different": [stored.file.path for stored in plan.different],
        "bytes": plan.bytes,
        "left": [finding.path for finding in plan.left],
        "rows": asdict(plan.head_rows),
        "roll_back": asdict(plan.roll_back) if plan.roll_back else None,
        "forget": asdict(plan.forget) if plan.forget else None,
        "no_repository": reason or None,
        "done": done,
    }
