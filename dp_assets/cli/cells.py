"""Numbers, sizes and times as cells: JSON has the value, people read the text."""

from dp_assets.cli.output import Cell, Shown
from dp_assets.core.units import format_bytes, iso_utc


def count(value: int | None) -> Cell:
    """``1,234``."""
    return value if value is None else Shown(value, f"{value:,}")


def size(size_bytes: int | None) -> Cell:
    """``1.50 MiB``."""
    return size_bytes if size_bytes is None else Shown(size_bytes, format_bytes(size_bytes))


def time(epoch_ms: int | None) -> Cell:
    """``2013-01-02T03:04:05Z``, also in JSON."""
    return epoch_ms if epoch_ms is None else iso_utc(epoch_ms)
