"""From what is known of maintenance to what the templates show."""

from dataclasses import dataclass

from dp_assets.adapters.report import charts, charts_maintenance, words
from dp_assets.adapters.report.page import Picture, Tile
from dp_assets.ports.maintenance import Outcome
from dp_assets.ports.report_maintenance import Maintenance, TableChange, Worked

LISTED = 20
DRAWN = 12
BADGES = {
    Outcome.DONE: "PASS",
    Outcome.NOTHING: "PASS",
    Outcome.REFUSED: "WARN",
    Outcome.FAILED: "ERROR",
    Outcome.UNKNOWN: "ERROR",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One operation in words; ``verdict`` is a badge of the page."""

    when_ms: int
    what: str
    verdict: str
    outcome: str
    seconds: float
    files: str
    size: str
    problem: str


@dataclass(frozen=True, slots=True)
class MaintenanceView:
    """The section; ``lines`` are the newest operations, newest first."""

    tiles: tuple[Tile, ...]
    charts: tuple[Picture, ...]
    lines: tuple[Line, ...]
    has_older: bool


def view(maintenance: Maintenance) -> MaintenanceView:
    """What the section shows; no tile before the first operation."""
    history = maintenance.history
    return MaintenanceView(
        tiles=_tiles(maintenance) if maintenance.round else (),
        charts=_pictures(maintenance.files),
        lines=tuple(_line(one) for one in reversed(history[-LISTED:])),
        has_older=len(history) > LISTED,
    )


def _tiles(found: Maintenance) -> tuple[Tile, ...]:
    tables = len({one.table for one in found.round})
    saved, seconds = found.saved_bytes, found.seconds
    per_second = round(saved / seconds) if seconds else 0
    return (
        Tile(
            "Last round", words.seconds(seconds), f"{len(found.round)} operations, {tables} tables"
        ),
        Tile("Files fewer", words.count(found.saved_files), "of the tables as they are now"),
        Tile("Smaller by", _signed(saved), f"{_signed(per_second)} for each second spent"),
        Tile("Queries faster by", *_queries(found)),
    )


def _queries(found: Maintenance) -> tuple[str, str]:
    if found.saved_seconds is None:
        return words.NONE, "not measured before and after"
    before = sum(q.before_seconds for q in found.queries)
    after = sum(q.after_seconds for q in found.queries)
    note = f"together {words.seconds(before)} before, {words.seconds(after)} after"
    if found.saved_seconds <= 0:
        return f"{words.NONE} (slower)", note
    return words.seconds(found.saved_seconds), note


def _signed(value: int) -> str:
    """A table may grow: larger files of a slower codec, or rows that arrived meanwhile."""
    return words.size(value) if value >= 0 else f"\u2212{words.size(-value)}"


def _pictures(changes: tuple[TableChange, ...]) -> tuple[Picture, ...]:
    if not changes:
        return ()
    most = changes[:DRAWN]
    fewer = sum(c.before - c.after for c in changes)
    shown = f" The {DRAWN} tables with the most are drawn." if len(changes) > DRAWN else ""
    return (
        Picture(
            "maintenance-files",
            "Data files before and after the last round",
            f"Tables that changed: {len(changes)}. Files fewer: {words.count(fewer)}.{shown}",
            lambda width_px: charts_maintenance.files(most, width_px=width_px),
            charts.HALF_PX,
        ),
    )


def _line(one: Worked) -> Line:
    return Line(
        when_ms=one.started_at_ms,
        what=f"{one.operation} of {one.table}",
        verdict=BADGES.get(Outcome(one.outcome), "ERROR"),
        outcome=one.outcome,
        seconds=one.seconds,
        files=_change(one, "files"),
        size=_change(one, "bytes"),
        problem=one.problem,
    )


def _change(one: Worked, figure: str) -> str:
    word = words.size if figure == "bytes" else words.count
    before, after = one.before.get(figure), one.after.get(figure)
    return word(after) if before == after else f"{word(before)} → {word(after)}"
