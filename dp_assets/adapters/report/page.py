"""From a report to what its templates show: tiles, lineage, worst findings, pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from dp_assets.adapters.report import charts, words
from dp_assets.adapters.report.svg import inline_svg
from dp_assets.ports.report import Finding, OnTime, PipelineReport, Punctuality, TableSize

if TYPE_CHECKING:
    from dp_assets.adapters.report.charts import Chart

FINDINGS_PER_TABLE = 3
STEPS = (
    ("raw", "As the source delivers it, a day at a time."),
    ("curated", "UTC times, weather, aircraft and airports joined."),
    ("features", "Counts, shares and delays by route and carrier."),
    ("analytics", "The on-time report, reconciled with every layer."),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One number at the top of the page."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Box:
    """A table in the lineage, without its namespace."""

    short: str
    note: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of the lineage."""

    name: str
    does: str
    tables: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart that is drawn when asked for; ``caption`` says in words what it shows."""

    key: str
    title: str
    caption: str
    chart: "Callable[[int], Chart]"
    width_px: int = charts.WIDE_PX

    @property
    def paired(self) -> bool:
        """Whether two such pictures fit side by side on a wide page."""
        return self.width_px < charts.WIDE_PX

    def wide(self) -> Markup:
        """For a desktop and for paper."""
        return self._svg("wide", self.width_px)

    def narrow(self) -> Markup:
        """For a phone."""
        return self._svg("narrow", charts.NARROW_PX)

    def _svg(self, cut: str, width_px: int) -> Markup:
        alt_text = f"{self.title}. {self.caption}"
        return inline_svg(self.chart(width_px), ident=f"{self.key}-{cut}", alt_text=alt_text)


def tiles(report: PipelineReport) -> tuple[Tile, ...]:
    """Flights, punctuality, checks, benchmarks and bytes at a glance."""
    flown, checks, lines = report.on_time, report.checks, report.benchmarks.lines
    warned, failed = sum(t.warned for t in checks), sum(t.failed for t in checks)
    good = sum(line.verdict == "PASS" for line in lines)
    return (
        Tile("Flights", words.count(flown.flights), f"{len(flown.days):,} days loaded"),
        Tile("Cancelled", words.count(flown.cancelled), _of(flown.cancelled, flown.flights)),
        Tile("On time", words.share(flown.on_time_share), "at most 14 minutes late"),
        Tile(
            "Checks passed",
            words.count(sum(t.passed for t in checks)),
            f"{warned:,} warned, {failed:,} failed",
        ),
        Tile("Benchmarks", f"{good} of {len(lines)}", "within what is expected"),
        Tile("Stored", words.size(total(report).size_bytes), f"{len(report.tables)} tables"),
    )


def total(report: PipelineReport) -> TableSize:
    """All tables together, as far as their metadata tells."""
    sizes = report.tables
    return TableSize(
        table=f"{len(sizes)} tables",
        rows=sum(t.rows or 0 for t in sizes),
        files=sum(t.files or 0 for t in sizes),
        size_bytes=sum(t.size_bytes or 0 for t in sizes),
        snapshots=sum(t.snapshots or 0 for t in sizes),
        last_commit_ms=None,
    )


def layers(report: PipelineReport) -> tuple[Layer, ...]:
    """The lineage with the tables that exist, ending in this page."""
    steps = [
        Layer(
            name,
            does,
            tuple(
                Box(t.table.removeprefix(f"{name}."), f"{words.count(t.rows)} rows")
                for t in report.tables
                if t.layer == name
            ),
        )
        for name, does in STEPS
    ]
    return (*steps, Layer("report", "Benchmarked, then written down: this page.", ()))


def worst_findings(report: PipelineReport) -> tuple[tuple[str, Finding], ...]:
    """The first few findings of every table, what refused data before what only warned."""
    found = [
        (t.table, finding) for t in report.checks for finding in t.findings[:FINDINGS_PER_TABLE]
    ]
    return tuple(sorted(found, key=lambda pair: pair[1].severity != "ERROR"))


def pictures(on_time: OnTime) -> tuple[Picture, ...]:
    """The charts there is something to show in; none without flights."""
    if not on_time.flights:
        return ()
    routes = (*on_time.best_routes, *reversed(on_time.worst_routes))
    worst = len(on_time.worst_routes)
    found = (
        Picture(
            "days",
            "Share on time, day by day",
            _daily_caption(on_time),
            lambda width_px: charts.daily(on_time, width_px=width_px),
        ),
        Picture(
            "hours",
            "Share late, by hour of scheduled departure",
            _hours_caption(on_time),
            lambda width_px: charts.hours(on_time.hours, width_px=width_px),
        ),
        Picture(
            "routes",
            "Best and worst routes, share on time",
            _ends(routes),
            lambda width_px: charts.ranking(routes, worst=worst, width_px=width_px),
            charts.HALF_PX,
        ),
        Picture(
            "carriers",
            "Carriers, share on time",
            _ends(on_time.carriers),
            lambda width_px: charts.ranking(on_time.carriers, worst=0, width_px=width_px),
            charts.HALF_PX,
        ),
    )
    return tuple(picture for picture in found if picture.caption)


def _daily_caption(on_time: OnTime) -> str:
    best = max(on_time.days, key=lambda d: d.on_time_share)
    worst = min(on_time.days, key=lambda d: d.on_time_share)
    return (
        f"A dot is a day, the line the seven days before it. Best {best.name} with "
        f"{words.share(best.on_time_share)}, worst {worst.name} with "
        f"{words.share(worst.on_time_share)}."
    )


def _hours_caption(on_time: OnTime) -> str:
    if not on_time.hours:
        return ""
    worst = min(on_time.hours, key=lambda h: h.on_time_share)
    late = words.share(1 - worst.on_time_share)
    return (
        f"Darker is later, local time. The worst hour is {charts.WEEKDAYS[worst.weekday - 1]} "
        f"{worst.hour:02d}:00 with {late} of {worst.flights:,} flights late or cancelled."
    )


def _ends(lines: Sequence[Punctuality]) -> str:
    if not lines:
        return ""
    best, worst = lines[0], lines[-1]
    return (
        f"From {words.share(best.on_time_share)} ({best.label}) "
        f"to {words.share(worst.on_time_share)} ({worst.label})."
    )


def _of(part: int, whole: int) -> str:
    return f"{words.share(part / whole)} of all" if whole else "of none"
