"""`dp run`: jobs in this process, without a daemon."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from dp_assets.orchestration.running import Finished, Progress
    from dp_assets.settings import Settings
    from dp_assets.usecases.summary import Summary

JOBS = (
    *("pipeline", "dimensions", "days", "features", "inventory", "report"),
    *("metastore_dump", "recovery_point", "verification", "retention", "drill", "replica"),
)
TRY_NEXT = (
    "ui",
    "table raw.flights --history",
    'query "select carrier, avg(arr_delay_min) from curated.flights group by 1"',
)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "run",
        rich_help_panel=Panel.RUN,
        epilog=examples("dp run", "dp run pipeline --days 2013-01-01..2013-01-31", "dp run report"),
    )(run)


def run(
    job: Annotated[str, typer.Argument(help=f"One of {', '.join(JOBS)}.")] = "pipeline",
    *,
    days: Annotated[
        str, typer.Option(help="One day, or FIRST..LAST; default: every day of the pipeline.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Run a job here, without a daemon; `pipeline` runs what is due, and nothing else."""
    from dp_assets.settings import load_settings

    _go(load_settings(), Output(json=as_json), job=job, days=days)


def _go(settings: "Settings", out: Output, *, job: str, days: str) -> None:
    from dp_assets.orchestration.running import run_job

    finished = run_job(settings, job=job, days=days, show=shown(out))
    summary = summary_of(settings)
    if out.json:
        out.document(document(finished, summary))
    else:
        print_runs(out, finished, summary)
        print_next(out)
    require_success(finished)


def summary_of(settings: "Settings") -> "Summary":
    """What the lakehouse holds now, with the facts of these runs in it."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.summary import summarise

    with opened(settings, doing="dp run") as lake:
        lake.flush()
        return summarise(lake)


def require_success(finished: "Sequence[Finished]") -> None:
    """End with 1 when a run failed."""
    if not all(f.success for f in finished):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def shown(out: Output) -> "Progress":
    """A bar while a run is under way, and one line when it has ended."""

    @contextmanager
    def show(steps: int, label: str) -> "Generator[Callable[[int], None], None, None]":
        started = time.monotonic()
        with out.progress(steps, label) as advance:
            yield advance
        out.line(f"ran {label:<40} {time.monotonic() - started:6.1f} s")

    return show


def print_runs(out: Output, finished: "Sequence[Finished]", summary: "Summary") -> None:
    """Tables, checks, benchmark, report, and what failed."""
    out.line("" if finished else "everything is up to date: no day, no report was due\n")
    out.table("Tables", ("table", "rows"), [_row(*item) for item in summary.rows.items()])
    passed, warned, failed = summary.checks
    out.line(f"\nChecks      {passed:,} passed, {warned:,} warned, {failed:,} failed")
    shown = [
        f"{q} {v} {s:.2f} s" if s is not None else f"{q} {v}" for q, v, s in summary.benchmarks
    ]
    out.line(f"Benchmark   {', '.join(shown) or 'not run yet'}")
    out.line(f"Report      {summary.report or 'not made yet'}")
    for run_ in finished:
        for failure in run_.failures:
            out.line(f"\nFAILED      {run_.planned}: {failure}")


def print_next(out: Output) -> None:
    """What to try."""
    out.line("\nNext")
    for words in TRY_NEXT:
        out.line(f"  {_as_called()} {words}")


def _as_called() -> str:
    """`dp` as it was typed: the demo runs it from a folder that is on nobody's PATH."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "dp" and called.parent != Path() else "dp"


def _row(table: str, rows: int) -> tuple[str, Shown]:
    return table, Shown(rows, f"{rows:,}")


def document(finished: "Sequence[Finished]", summary: "Summary") -> dict[str, object]:
    """Runs and summary for programs."""
    passed, warned, failed = summary.checks
    return {
        "runs": [
            {
                "run": str(f.planned),
                "run_id": f.run_id,
                "success": f.success,
                "failures": list(f.failures),
            }
            for f in finished
        ],
        "rows": summary.rows,
        "checks": {"passed": passed, "warned": warned, "failed": failed},
        "benchmarks": [
            {"query": q, "verdict": v, "median_seconds": s} for q, v, s in summary.benchmarks
        ],
        "report": str(summary.report) if summary.report else None,
    }
