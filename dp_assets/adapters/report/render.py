"""Writes a report as HTML, Markdown and JSON; a reader sees the old file or the new, never half."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from dp_assets.adapters.local_files import replace_file
from dp_assets.adapters.report import maintenance, page, recovery, words
from dp_assets.adapters.report.svg import sparkline
from dp_assets.core.units import iso_utc
from dp_assets.ports.report import BenchmarkLine, PipelineReport

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the three formats of one report are."""

    html: Path
    markdown: Path
    json: Path


def write_report(report: PipelineReport, folder: Path) -> ReportFiles:
    """Write `pipeline.html`, `pipeline.md` and `pipeline.json`, each atomically and durably.

    Everything is rendered before the first file is touched, so that an error leaves the old three.
    """
    where = ReportFiles(
        html=folder / "pipeline.html",
        markdown=folder / "pipeline.md",
        json=folder / "pipeline.json",
    )
    texts = {
        where.html: render_html(report),
        where.markdown: render_markdown(report),
        where.json: render_json(report),
    }
    for path, text in texts.items():
        replace_file(path, text.encode())
    return where


def write_benchmarks(rows: Sequence[Mapping[str, object]], folder: Path) -> Path:
    """Write `benchmarks.json`: the rows of one run as `ops.benchmark_results` has them."""
    path = folder / "benchmarks.json"
    body = {"format_version": FORMAT_VERSION, "results": [dict(row) for row in rows]}
    replace_file(path, f"{json.dumps(body, indent=2)}\n".encode())
    return path


def render_html(report: PipelineReport) -> str:
    """One page that needs no other file and no network."""
    return _render("report.html.j2", report)


def render_markdown(report: PipelineReport) -> str:
    """The same facts; a picture becomes its caption and its table."""
    return _render("report.md.j2", report)


def render_json(report: PipelineReport) -> str:
    """The report itself: every number unrounded, every finding, not only the worst."""
    body = {
        "format_version": FORMAT_VERSION,
        "generated_at": iso_utc(report.generated_at_ms),
        "attention": list(report.attention),
        **asdict(report),
    }
    return json.dumps(body, indent=2, default=_day) + "\n"


def _day(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"not part of a report: {type(value).__name__}")


def _render(template: str, report: PipelineReport) -> str:
    return (
        _environment()
        .get_template(template)
        .render(
            report=report,
            tiles=page.tiles(report),
            total=page.total(report),
            layers=page.layers(report),
            findings=page.worst_findings(report),
            charts=page.pictures(report.on_time),
            recovery=recovery.view(report.recovery),
            maintenance=maintenance.view(report.maintenance),
        )
    )


def _environment() -> jinja2.Environment:
    folder = files("dp_assets.adapters.report") / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        autoescape=jinja2.select_autoescape(("html.j2",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "count": words.count,
        "share": words.share,
        "seconds": words.seconds,
        "minutes": words.minutes,
        "size": words.size,
        "moment": words.moment,
        "days": words.days,
        "cell": words.cell,
        "sparkline": _sparkline,
    }
    environment.globals["css"] = Markup((folder / "page.css").read_text("utf-8"))  # noqa: S704
    return environment


def _sparkline(line: BenchmarkLine) -> Markup:
    values = line.history_seconds
    alt_text = f"medians of {line.query}: {', '.join(words.seconds(v) for v in values)}"
    return sparkline(values, alt_text=alt_text)
