"""Charts and sparklines as SVG that can stand inside an HTML page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

from dp_assets.core.errors import PermanentError

if TYPE_CHECKING:
    from dp_assets.adapters.report.charts import Chart

_FONT = "Helvetica, Arial, sans-serif"
_CONFIG = {
    "background": None,
    "font": _FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": "#1d2733",
        "titleColor": "#4a5663",
        "gridColor": "#e4e8ec",
        "domainColor": "#b6c0c9",
        "tickColor": "#b6c0c9",
        "labelPadding": 6,
    },
}
_SPARK_WIDTH, _SPARK_HEIGHT = 96, 22


def inline_svg(chart: Chart, *, ident: str, alt_text: str) -> Markup:
    """Render offline and make the result safe to put beside other charts on one page.

    Args:
        chart: with its data inline.
        ident: unique on the page; prefixes the ids inside, which would collide otherwise.
        alt_text: what the picture says, for who does not see it.
    """
    import altair as alt
    import vl_convert

    sized = chart.properties(autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    # No base URL allowed: a chart that tried to load anything would fail, not call out.
    text = vl_convert.vegalite_to_svg(sized.to_dict(), config=_CONFIG, allowed_base_urls=[])
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text, count=2)
    text = _own_ids(text, ident)
    size = re.match(r'<svg version="1.1" class="marks" width="(\d+)" height="\d+"', text)
    if size is None:
        raise PermanentError(
            f"chart {ident}: the renderer's SVG begins with {text[:60]!r}",
            hint="install the vl-convert-python that requirements/ pins",
        )
    label = escape(alt_text)
    head = f'<svg role="img" aria-label="{label}" style="max-width:{size[1]}px"'
    return Markup(head + text[size.end() :])  # noqa: S704 - Vega escapes the data in it


def _own_ids(text: str, ident: str) -> str:
    """Ids numbered within this picture; Vega goes on counting from the picture before."""
    for number, old in enumerate(dict.fromkeys(re.findall(r'\bid="(\w+)"', text))):
        new = f"{ident}-{number}"
        text = text.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    return text


def sparkline(values: Sequence[float], *, alt_text: str) -> Markup:
    """Values from left to right over a scale from zero, the last one marked; empty for fewer."""
    if len(values) < 2:
        return Markup()
    top = max(values) or 1.0
    step = (_SPARK_WIDTH - 6) / (len(values) - 1)
    points = [
        (3 + number * step, _SPARK_HEIGHT - 3 - value / top * (_SPARK_HEIGHT - 6))
        for number, value in enumerate(values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last_x, last_y = points[-1]
    return Markup(  # noqa: S704 - numbers, and a label escaped here
        f'<svg class="spark" role="img" aria-label="{escape(alt_text)}" '
        f'width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" '
        f'viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}">'
        f'<polyline points="{path}" fill="none" stroke="#0072B2" stroke-width="1.5"/>'
        f'<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="2.5" fill="#0072B2"/></svg>'
    )
