"""`dp doctor`: settings against reality, and pointers moved back when asked."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, examples
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from dp_assets.domains.lake.doctor_tables import Repair
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.diagnosis import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "doctor",
        rich_help_panel=Panel.SET_UP,
        epilog=examples("dp doctor", "dp doctor --repair --dry-run", "dp doctor --repair --yes"),
    )(doctor)


def doctor(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Move unreadable pointers back; deletes nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --repair: only show what it would do.")
    ] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare the settings with reality and say what to do; ends with 1 when there is an error."""
    if not repair and (dry_run or yes):
        raise ConfigurationError(
            "--dry-run and --yes go with --repair", hint="without --repair nothing is changed"
        )
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.diagnosis import diagnose

    out = Output(json=as_json)
    with opened(doing="doctor") as lake:
        found = diagnose(lake)
        _show(out, found)
        moved: Sequence[Repair] = ()
        if repair and not _is_nothing_to_repair(out, found):
            _show_plan(out, found.repairs)
            if not dry_run:
                confirm("move these pointers back?", yes=yes)
                moved = _repair(out, lake, found.repairs)
                found = diagnose(lake)
    out.document(_document(found, moved))
    if moved:
        _show_summary(out, found)
    if not found.is_healthy:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(out: Output, found: "Diagnosis") -> None:
    if out.json:
        return
    if sys.stdout.isatty():
        for area, group in groupby(found.findings, key=lambda f: f.area):
            rows: list[tuple[str, str, str]] = []
            for f in group:
                rows.append((f.severity.value, f.subject, f.what))
                rows += [("", "", f"-> {f.hint}")] if f.hint else []
            out.table(area.value, ("status", "object", "finding and what to do"), rows)
    else:
        for finding in found.findings:
            out.line(f"{finding.severity.value:<5}  {finding.subject}: {finding.what}")
            if finding.hint:
                out.line(f"       {finding.hint}")
    _show_summary(out, found)


def _show_summary(out: Output, found: "Diagnosis") -> None:
    from dp_assets.domains.lake.doctor import counted

    counts = [f.severity.value for f in found.findings]
    errors, warnings = counts.count("error"), counts.count("warn")
    out.line(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}")


def _is_nothing_to_repair(out: Output, found: "Diagnosis") -> bool:
    if not found.repairs:
        out.line("nothing that --repair could do: no pointer has a way back, or none needs one")
    return not found.repairs


def _show_plan(out: Output, repairs: Sequence["Repair"]) -> None:
    from dp_assets.domains.lake.doctor_tables import lost_text

    for planned in repairs:
        out.line(f"\n{planned.table}")
        out.line(f"  pointer  {planned.broken.location}")
        out.line(f"  back to  {planned.target.location}")
        out.line(f"  lost     {lost_text(planned)}")


def _repair(out: Output, lake: "Lakehouse", repairs: Sequence["Repair"]) -> Sequence["Repair"]:
    from dp_assets.usecases.repairing import repair

    for planned in repairs:
        repair(lake, planned)
        rows = planned.target.snapshot_rows.get(planned.target.head_id or 0)
        kept = "no rows known" if rows is None else f"{rows} rows"
        out.line(f"moved back: {planned.table} loads again, {kept}")
    return repairs


def _document(found: "Diagnosis", moved: Sequence["Repair"]) -> dict[str, object]:
    return {
        "healthy": found.is_healthy,
        "findings": [asdict(finding) for finding in found.findings],
        "repairs": [_repair_document(r, done=False) for r in found.repairs]
        + [_repair_document(r, done=True) for r in moved],
    }


def _repair_document(planned: "Repair", *, done: bool) -> dict[str, object]:
    return {
        "table": str(planned.table),
        "pointer": planned.broken.location,
        "back_to": planned.target.location,
        "lost_commits": planned.commits,
        "lost_snapshots": [asdict(lost) for lost in planned.lost],
        "done": done,
    }
