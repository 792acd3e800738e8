"""From what is known of recovery to what the templates show."""

from collections.abc import Sequence
from dataclasses import dataclass

from dp_assets.adapters.report import charts, charts_recovery, words
from dp_assets.adapters.report.page import Picture
from dp_assets.core.units import format_seconds
from dp_assets.ports.report_recovery import DRILL, POINT, Attempt, PointLine, Recovery

LISTED_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Promise:
    """One number of recovery, and whether it keeps what was promised."""

    name: str
    value: str
    note: str
    verdict: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """The section; ``attempts`` are the newest ones, newest first."""

    promises: tuple[Promise, ...]
    facts: tuple[tuple[str, str], ...]
    charts: tuple[Picture, ...]
    attempts: tuple[Attempt, ...]
    has_older: bool


def view(recovery: Recovery) -> RecoveryView:
    """What the section shows; the history also when there is no repository any more."""
    history = recovery.history
    return RecoveryView(
        promises=() if recovery.missing else _promises(recovery),
        facts=() if recovery.missing else tuple(_facts(recovery)),
        charts=pictures(history),
        attempts=tuple(reversed(history[-LISTED_ATTEMPTS:])),
        has_older=len(history) > LISTED_ATTEMPTS,
    )


def _promises(recovery: Recovery) -> tuple[Promise, ...]:
    newest, proof, seconds = recovery.newest, recovery.proof, recovery.restore_seconds
    return (
        Promise(
            "Newest point",
            f"{words.span(newest.age_ms)} old" if newest else "none",
            _named(newest),
            _verdict(kept=recovery.rpo_within),
            f"RPO {words.span(recovery.rpo_ms)}",
        ),
        Promise(
            "Newest proof",
            f"{words.span(proof.age_ms)} old" if proof else "none",
            _named(recovery.proven),
            _verdict(kept=recovery.proven_within),
            f"at least every {words.span(recovery.max_unproven_ms)}",
        ),
        Promise(
            "A restore takes",
            words.seconds(seconds),
            "as the last drill measured" if proof else "measured by drills",
            _verdict(kept=recovery.rto_within),
            f"RTO {words.span(recovery.rto_ms)}",
        ),
        Promise(
            "Not covered",
            words.count(len(recovery.not_covered)),
            "tables that would not come back, or are not proven",
            "WARN" if recovery.not_covered else "PASS",
        ),
    )


def _verdict(*, kept: bool) -> str:
    """As the badges of the page name it."""
    return "PASS" if kept else "ERROR"


def _named(point: PointLine | None) -> str:
    if point is None:
        return "no point"
    return f"point {point.number}, {words.count(point.tables)} tables, {words.size(point.bytes)}"


def _facts(recovery: Recovery) -> list[tuple[str, str]]:
    facts = [("Repository", recovery.repository), ("Points", words.count(recovery.points))]
    if recovery.newest:
        facts.append(("Newest point", words.moment(recovery.newest.cut_at_ms)))
    if recovery.proof:
        read = "every snapshot" if recovery.proof.scope == "everything" else "a sample of snapshots"
        facts.append(
            ("Last proof", f"{words.moment(recovery.proof.at_ms)}, two engines read {read}")
        )
    if recovery.incomplete:
        facts.append(("Not whole", f"points {', '.join(map(str, recovery.incomplete))}"))
    facts += [("Metastore dump", recovery.dump), ("Replica", recovery.replica)]
    return [*facts, *(("Not known", note) for note in recovery.notes)]


def pictures(history: Sequence[Attempt]) -> tuple[Picture, ...]:
    """Bytes added and seconds taken, point by point; none before the first point."""
    points = [a for a in history if a.kind == POINT and a.point is not None]
    if not points:
        return ()
    return (
        Picture(
            "points-added",
            "What each recovery point added",
            _added_caption(history, points),
            lambda width_px: charts_recovery.added(history, width_px=width_px),
            charts.HALF_PX,
        ),
        Picture(
            "points-seconds",
            "How long points and drills took",
            _seconds_caption(history, points),
            lambda width_px: charts_recovery.durations(history, width_px=width_px),
            charts.HALF_PX,
        ),
    )


def _added_caption(history: Sequence[Attempt], points: Sequence[Attempt]) -> str:
    last, whole = points[-1], sum(p.good for p in points)
    failed = sum(a.kind == POINT and a.point is None for a in history)
    drilled = any(a.kind == DRILL for a in history)
    marks = " ◆ a drill proved it, ✕ a drill did not." if drilled else ""
    more = f" {failed} more made no point." if failed else ""
    return (
        f"Point {last.point} added {words.size(last.added_bytes)} of {words.size(last.bytes)}. "
        f"{whole} of {len(points)} whole.{more}{marks}"
    )


def _seconds_caption(history: Sequence[Attempt], points: Sequence[Attempt]) -> str:
    drills = [a for a in history if a.kind == DRILL]
    drilled = f"the last drill {format_seconds(drills[-1].seconds)}" if drills else "no drill yet"
    return (
        "The line is making a point, a mark restoring one. "
        f"The last point took {format_seconds(points[-1].seconds)}, {drilled}."
    )
