"""The sizes of a table's data files as bars, for terminals and Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from dp_assets.core.units import GIB, KIB, MIB
from dp_assets.ports.maintenance import TableHealth

# Powers of two of a KiB, as `TableHealth.size_counts` counts; the last bar has no upper end.
LIMITS_BYTES = (64 * KIB, MIB, 8 * MIB, 32 * MIB, 128 * MIB, 512 * MIB)
LIMIT_WORDS = ("<64K", "<1M", "<8M", "<32M", "<128M", "<512M", "512M+")
_EIGHTHS = "▁▂▃▄▅▆▇█"
_NONE = "·"
_FULL, _PARTS = "█", "▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class SizeRow:
    """Data files of at least ``from_bytes``, smaller than twice that."""

    name: str
    from_bytes: int
    files: int
    bar: str


def size_strip(health: TableHealth) -> str:
    """Seven characters: how many files are below 64 KiB, 1, 8, 32, 128, 512 MiB, and above."""
    counts = [0] * len(LIMIT_WORDS)
    for power, files in enumerate(health.size_counts):
        lower_bytes = KIB << power >> 1
        counts[sum(lower_bytes >= limit for limit in LIMITS_BYTES)] += files
    most = max(counts)
    return "".join(_EIGHTHS[(8 * n - 1) // most] if n else _NONE for n in counts)


def size_rows(health: TableHealth, *, width: int) -> Iterator[SizeRow]:
    """One row per power of two, from the smallest files to the largest; bars of ``width``."""
    counts = health.size_counts
    first = next((power for power, files in enumerate(counts) if files), len(counts))
    most = max(counts, default=0)
    for power in range(first, len(counts)):
        from_bytes = KIB << power >> 1 if power else 0
        files = counts[power]
        yield SizeRow(_words(from_bytes), from_bytes, files, bar(files / most, width=width))


def bar(share: float, *, width: int) -> str:
    """``share`` (0 to 1) of ``width`` characters; what is not 0 is never invisible."""
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    part = eighths % 8
    return _FULL * (eighths // 8) + (_PARTS[part - 1] if part else "")


def _words(from_bytes: int) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if from_bytes >= unit:
            return f"{from_bytes // unit} {name} up"
    return "below 1 KiB"
