"""`dp demo`: a lakehouse from real flights, and a disaster that it survives."""

import time
from typing import TYPE_CHECKING

import typer

from dp_assets.cli.demo_maintenance import (
    maintenance_document,
    print_maintenance,
    run_maintenance,
)
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, examples
from dp_assets.cli.run import (
    document,
    print_next,
    print_runs,
    require_success,
    shown,
    summary_of,
)

if TYPE_CHECKING:
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.demo_disaster import Disaster


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo", rich_help_panel=Panel.RUN, epilog=examples("dp demo"))(demo)


def demo(*, as_json: JsonFlag = False) -> None:
    """Build the demo lakehouse from real flights, maintain it, lose a table, bring it back."""
    from dp_assets.core.units import now_ms
    from dp_assets.domains.lake.identity import DEMO
    from dp_assets.orchestration.running import run_job
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.making_repository import init_repository
    from dp_assets.usecases.initialising import initialise

    settings, out = load_settings(), Output(json=as_json)
    initialise(settings, origin=DEMO)
    init_repository(settings, keys=None, now_ms=now_ms())
    _finish_disaster(settings)
    first, last = settings.pipeline.demo_first_day, settings.pipeline.demo_last_day
    finished = run_job(settings, job="pipeline", days=f"{first}..{last}", show=shown(out))
    maintained = None
    if all(f.success for f in finished) and (finished or not _has_points(settings)):
        runs, maintained = run_maintenance(settings, shown(out))
        finished += runs
        for job in ("metastore_dump", "recovery_point", "drill"):
            finished += run_job(settings, job=job, days="", show=shown(out))
    happened = _disaster(settings, out) if all(f.success for f in finished) else None
    summary = summary_of(settings)
    if happened:
        _report_again(settings)
    if out.json:
        proof = _proof(happened) if happened else None
        worked = maintenance_document(maintained) if maintained else None
        out.document({**document(finished, summary), "maintenance": worked, "disaster": proof})
    else:
        print_runs(out, finished, summary)
        if maintained:
            print_maintenance(out, maintained)
        if happened:
            _print_disaster(out, happened)
        print_next(out)
    require_success(finished)
    unequal = maintained is not None and not maintained.is_equal
    if unequal or (happened and happened.before != happened.after):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _has_points(settings: "Settings") -> bool:
    from dp_assets.domains.backup.points import Points
    from dp_assets.usecases.backup.repositories import open_for_reading

    return bool(Points(open_for_reading(settings)).numbers())


def _finish_disaster(settings: "Settings") -> None:
    """A demo that was killed within its disaster left a table out: bring it back first."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.demo_disaster import finish
    from dp_assets.usecases.backup.repositories import open_for_reading

    with opened(settings, doing="dp demo") as lake:
        finish(lake, open_for_reading(settings))


def _disaster(settings: "Settings", out: Output) -> "Disaster | None":
    """The disaster and the restore; None when both have been."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.demo_disaster import is_over, strike_and_restore
    from dp_assets.usecases.backup.repositories import open_for_reading

    if is_over(settings):
        return None
    started = time.monotonic()
    with opened(settings, doing="dp demo") as lake:
        happened = strike_and_restore(lake, open_for_reading(settings))
    out.line(f"ran {'disaster and restore':<40} {time.monotonic() - started:6.1f} s")
    return happened


def _report_again(settings: "Settings") -> None:
    """The page of the pipeline's run was written before there was a point to report."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.reporting import write

    with opened(settings, doing="dp demo") as lake:
        write(lake, run_id="dp demo")


def _print_disaster(out: Output, happened: "Disaster") -> None:
    out.line(
        f"\nDisaster    {happened.table} was dropped and its {happened.deleted} files deleted, "
        f"then restored from recovery point {happened.point}"
    )
    before, after = happened.before.facts(), happened.after.facts()
    rows = [(name, before[name], after[name], before[name] == after[name]) for name in before]
    out.table("Proof", ("fact", "before", "after", "equal"), rows)


def _proof(happened: "Disaster") -> dict[str, object]:
    return {
        "table": str(happened.table),
        "point": happened.point,
        "deleted_files": happened.deleted,
        "before": happened.before.facts(),
        "after": happened.after.facts(),
    }
