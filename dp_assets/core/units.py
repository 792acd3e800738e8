"""Bytes, milliseconds and UTC: the units everything here is kept in, and how people read them."""

import time
from datetime import UTC, datetime

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def now_ms() -> int:
    """This machine's clock: Unix epoch, UTC, milliseconds."""
    return time.time_ns() // 1_000_000


def utc(epoch_ms: int) -> datetime:
    """An aware UTC datetime for Unix epoch milliseconds."""
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC)


def iso_utc(epoch_ms: int) -> str:
    """``2013-01-02T03:04:05Z``: seconds, always UTC."""
    return utc(epoch_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_utc_ms(epoch_ms: int) -> str:
    """``2013-01-02T03:04:05.678Z``: milliseconds, always UTC; how facts are spooled."""
    return utc(epoch_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_bytes(size_bytes: int) -> str:
    """Binary units, three significant digits: ``512 B``, ``1.50 MiB``, ``20.0 GiB``."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size_bytes >= unit:
            value = size_bytes / unit
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {name}"
    return f"{size_bytes} B"


def format_seconds(seconds: float) -> str:
    """``0.42 s``, ``12.3 s``, ``2 min 5 s``, ``3 h 10 min``, ``4 d 2 h``."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
