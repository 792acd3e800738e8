"""The on-time pictures as Altair charts, each in a wide and in a narrow cut.

Colours are from Okabe and Ito's palette or one-hue ramps, so that they survive colour blindness
and a grey printer. Altair is imported in the functions: it costs most of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dp_assets.ports.report import HourOfWeek, OnTime, Punctuality

if TYPE_CHECKING:
    import altair as alt

    # What `alt.layer` may return; a facet never is, nobody asks for one.
    Chart = alt.LayerChart | alt.FacetChart

BLUE = "#0072B2"
VERMILLION = "#C44E00"
PALE = "#9FB8C9"
INK = "#1d2733"
WIDE_PX = 880
DAYS_AS_MONTHS = 92
HALF_PX = 430
NARROW_PX = 340
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def daily(on_time: OnTime, *, width_px: int) -> Chart:
    """A dot per day and a line for the seven days before it."""
    import altair as alt

    rows = [
        {"day": day.name, "share": day.on_time_share, "mean": mean}
        for day, mean in zip(on_time.days, on_time.trailing_shares, strict=True)
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("day:T", title=None)
        .scale(type="utc")
        .axis(
            tickCount=12 if width_px > NARROW_PX else 5,
            format="%b" if len(rows) > DAYS_AS_MONTHS else "%d %b",
            grid=False,
        )
    )
    shares = alt.Y("share:Q", title=None).scale(zero=False, nice=True).axis(format=".0%")
    dots = base.mark_circle(
        size=26 if len(rows) > DAYS_AS_MONTHS else 60, color=PALE, opacity=1
    ).encode(y=shares)
    line = base.mark_line(color=BLUE, strokeWidth=2.5).encode(y=alt.Y("mean:Q", title=None))
    return alt.layer(dots, line, width=width_px, height=240)


def hours(cells: Sequence[HourOfWeek], *, width_px: int) -> Chart:
    """Late share by weekday and hour; the narrow cut runs down the day."""
    import altair as alt

    rows = [
        {
            "weekday": WEEKDAYS[c.weekday - 1],
            "hour": f"{c.hour:02d}",
            "late": 1 - c.on_time_share,
        }
        for c in cells
    ]
    wide = width_px > NARROW_PX
    hour_axis = {"title": "scheduled hour" if wide else None, "sort": "ascending"}
    weekday_axis = {"title": None, "sort": list(WEEKDAYS)}
    across, down = (hour_axis, weekday_axis) if wide else (weekday_axis, hour_axis)
    names = ("hour:O", "weekday:O") if wide else ("weekday:O", "hour:O")
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(names[0], **across).axis(labelAngle=0, orient="bottom" if wide else "top"),
        y=alt.Y(names[1], **down),
    )
    ramp = alt.Scale(scheme="oranges", domainMin=0)
    fill = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color("late:Q", scale=ramp, legend=None)
    )
    middle = max((r["late"] for r in rows), default=0) * 0.7
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("late:Q", format=".0%"),
        color=alt.condition(f"datum.late > {middle}", alt.value("white"), alt.value(INK)),
    )
    return alt.layer(fill, text, width=width_px, height=250 if wide else 480)


def ranking(lines: Sequence[Punctuality], *, worst: int, width_px: int) -> Chart:
    """A bar per line, in the given order; the last ``worst`` of them in the warning colour."""
    import altair as alt

    edge = len(lines) - worst
    rows = [
        {
            "label": line.label,
            "share": line.on_time_share,
            "colour": VERMILLION if number >= edge else BLUE,
        }
        for number, line in enumerate(lines)
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("share:Q", title=None).scale(domain=(0, 1.15)).axis(None),
        y=alt.Y("label:N", title=None, sort=None).axis(
            labelLimit=190 if width_px > NARROW_PX else 150, ticks=False, domain=False
        ),
    )
    bars = base.mark_bar(height=15, cornerRadiusEnd=2).encode(
        color=alt.Color("colour:N", scale=None)
    )
    text = base.mark_text(align="left", dx=5, color=INK).encode(
        text=alt.Text("share:Q", format=".0%")
    )
    return alt.layer(bars, text, width=width_px, height=22 * max(len(rows), 1) + 8)
