"""The picture of maintenance: how many files each table had, and has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.report.charts import BLUE, INK, NARROW_PX, PALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.adapters.report.charts import Chart
    from dp_assets.ports.report_maintenance import TableChange
LETTER_PX = 7.5


def files(changes: Sequence[TableChange], *, width_px: int) -> Chart:
    """Two bars a table: the files before, pale, and after."""
    import altair as alt

    rows = [
        {"table": c.table, "when": when, "files": number, "colour": colour}
        for c in changes
        for when, number, colour in (("before", c.before, PALE), ("after", c.after, BLUE))
    ]
    limit_px = 190 if width_px > NARROW_PX else 130
    longest_px = LETTER_PX * max((len(c.table) for c in changes), default=0)
    most = max((max(c.before, c.after) for c in changes), default=0)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("files:Q", title="data files").scale(domain=(0, 1.12 * most)).axis(tickCount=4),
        y=alt.Y("table:N", title=None, sort=None).axis(
            labelLimit=limit_px,
            minExtent=min(limit_px, longest_px),  # Vega measures a label too short, and cuts it
            ticks=False,
            domain=False,
        ),
        yOffset=alt.YOffset("when:N", sort=["before", "after"]),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=alt.Color("colour:N", scale=None))
    text = base.mark_text(align="left", dx=4, color=INK, fontSize=11).encode(
        text=alt.Text("files:Q", format=",")
    )
    return alt.layer(bars, text, width=width_px, height=34 * max(len(changes), 1) + 30)
