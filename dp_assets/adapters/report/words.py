"""How numbers, days and cells read; the same in HTML and Markdown."""

import re
from collections.abc import Sequence
from datetime import date

from dp_assets.core.units import format_bytes, format_seconds, utc

NONE = "–"  # noqa: RUF001 - an en dash, as in printed tables


def count(value: int | None) -> str:
    """``336,776``."""
    return NONE if value is None else f"{value:,}"


def share(value: float | None) -> str:
    """``76.3 %``; what is above nothing never reads as ``0.0 %``."""
    if value is None:
        return NONE
    return "< 0.1 %" if 0 < value < 0.001 else f"{value * 100:.1f} %"


def seconds(value: float | None) -> str:
    """``0.42 s``; milliseconds below a tenth, where hundredths say nothing."""
    if value is None:
        return NONE
    return f"{value * 1000:.1f} ms" if value < 0.1 else format_seconds(value)


def span(duration_ms: int) -> str:
    """``34 min``, ``1 h 5 min``, ``8 d``: an age or a limit, without a second unit that is zero."""
    return re.sub(r" 0 (s|min|h)$", "", format_seconds(duration_ms / 1000))


def minutes(value: float | None) -> str:
    """``+12 min``, ``-5 min`` with a true minus sign."""
    return NONE if value is None else f"{value:+.0f} min".replace("-", "\u2212")


def size(value: int | None) -> str:
    """``20.0 GiB``."""
    return NONE if value is None else format_bytes(value)


def moment(epoch_ms: int | None) -> str:
    """``2013-01-02 03:04 UTC``."""
    return NONE if epoch_ms is None else f"{utc(epoch_ms):%Y-%m-%d %H:%M} UTC"


def days(values: Sequence[date], limit: int = 8) -> str:
    """The first days by name, then how many more."""
    if not values:
        return "none"
    named = ", ".join(str(d) for d in values[:limit])
    more = len(values) - limit
    return f"{named} and {more:,} more" if more > 0 else named


def cell(value: object) -> str:
    """Text that stays inside one Markdown table cell and is markup nowhere."""
    text = re.sub(r"\s+", " ", str(value)).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", text)
