"""A report in a few lines of plain text, for a terminal or an asset's metadata."""

from itertools import groupby

from dp_assets.ports.report import PipelineReport


def summary_lines(report: PipelineReport) -> tuple[str, ...]:
    """Rows per layer, checks, benchmark verdicts, then what a person should look at."""
    return (
        f"rows: {_rows(report)}",
        f"checks: {_checks(report)}",
        f"benchmarks: {_benchmarks(report)}",
        *(f"look at: {sentence}" for sentence in report.attention),
    )


def _rows(report: PipelineReport) -> str:
    layers = groupby(report.tables, key=lambda t: t.layer)
    found = [f"{layer} {sum(t.rows or 0 for t in tables):,}" for layer, tables in layers]
    return ", ".join(found) or "no table yet"


def _checks(report: PipelineReport) -> str:
    passed = sum(t.passed for t in report.checks)
    warned = sum(t.warned for t in report.checks)
    failed = sum(t.failed for t in report.checks)
    return f"{passed:,} passed, {warned:,} warned, {failed:,} failed"


def _benchmarks(report: PipelineReport) -> str:
    lines = report.benchmarks.lines
    return ", ".join(f"{line.query} {line.verdict}" for line in lines) or "not measured yet"
