"""The pictures of recovery: what each point added, and how long points and drills took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.report.charts import BLUE, NARROW_PX, VERMILLION
from dp_assets.core.units import GIB, KIB, MIB
from dp_assets.ports.report_recovery import DRILL, POINT, Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from dp_assets.adapters.report.charts import Chart

GREEN = "#009E73"
HEIGHT_PX = 190
NARROW_POINTS = 20


def added(attempts: Sequence[Attempt], *, width_px: int) -> Chart:
    """A bar per point; a diamond over it where a drill proved it, a cross where one did not."""
    import altair as alt

    points = _fitting([a for a in attempts if a.kind == POINT and a.point is not None], width_px)
    unit, name = _unit(max((p.added_bytes or 0 for p in points), default=0))
    drills = {a.point: a.good for a in attempts if a.kind == DRILL}
    rows = [
        {
            "point": p.point,
            "added": (p.added_bytes or 0) / unit,
            "colour": BLUE if p.good else VERMILLION,
        }
        for p in points
    ]
    marks = [r | _mark(good=drills[r["point"]]) for r in rows if r["point"] in drills]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_points_axis(), y=alt.Y("added:Q", title=name).axis(tickCount=4)
    )
    bars = base.mark_bar(cornerRadiusEnd=2, width=_bar_width(len(points), width_px)).encode(
        color=alt.Color("colour:N", scale=None)
    )
    return alt.layer(bars, _marks(marks, "added:Q", dy=-9), width=width_px, height=HEIGHT_PX)


def durations(attempts: Sequence[Attempt], *, width_px: int) -> Chart:
    """A line through the seconds of the points, and a mark for each drill of one of them."""
    import altair as alt

    points = _fitting([a for a in attempts if a.kind == POINT and a.point is not None], width_px)
    shown = {p.point for p in points}
    rows = [{"point": p.point, "seconds": p.seconds} for p in points]
    marks = [
        {"point": a.point, "seconds": a.seconds} | _mark(good=a.good)
        for a in attempts
        if a.kind == DRILL and a.point in shown
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_points_axis(), y=alt.Y("seconds:Q", title="seconds").axis(tickCount=4)
    )
    line = base.mark_line(color=BLUE, strokeWidth=2)
    dots = base.mark_circle(color=BLUE, size=36, opacity=1)
    return alt.layer(line, dots, _marks(marks, "seconds:Q"), width=width_px, height=HEIGHT_PX)


def _fitting(points: Sequence[Attempt], width_px: int) -> Sequence[Attempt]:
    return points if width_px > NARROW_PX else points[-NARROW_POINTS:]


def _points_axis() -> alt.X:
    import altair as alt

    return alt.X("point:O", title="recovery point").axis(
        labelAngle=0, labelOverlap="greedy", labelSeparation=8, ticks=False
    )


def _marks(rows: Sequence[dict[str, object]], y: str, *, dy: int = 0) -> alt.Chart:
    import altair as alt

    return (
        alt.Chart(alt.InlineData(values=list(rows)))
        .mark_text(fontSize=14, fontWeight="bold", dy=dy)
        .encode(
            x=_points_axis(),
            y=alt.Y(y),
            text="mark:N",
            color=alt.Color("mark_colour:N", scale=None),
        )
    )


def _mark(*, good: bool) -> dict[str, object]:
    return {"mark": "◆" if good else "✕", "mark_colour": GREEN if good else VERMILLION}


def _bar_width(points: int, width_px: int) -> float:
    """A few bars are no wall."""
    return min(28, 0.8 * width_px / max(points, 1))


def _unit(largest_bytes: int) -> tuple[int, str]:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if largest_bytes >= unit:
            return unit, name
    return 1, "bytes"
