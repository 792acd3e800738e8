"""How the sizes of a table's files are spread; many small ones are why a table gets slow."""

from collections.abc import Collection
from dataclasses import dataclass

from dp_assets.core.units import KIB, MIB

LIMITS_BYTES = (64 * KIB, MIB, 8 * MIB, 32 * MIB, 128 * MIB, 512 * MIB)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Files of at least ``from_bytes`` and less than ``below_bytes`` (None: no limit)."""

    from_bytes: int
    below_bytes: int | None
    files: int
    bytes: int


def histogram(sizes_bytes: Collection[int]) -> tuple[Bucket, ...]:
    """Every file in exactly one bucket; from the first bucket in use to the last."""
    lows, highs = (0, *LIMITS_BYTES), (*LIMITS_BYTES, None)
    buckets = [_bucket(sizes_bytes, low, high) for low, high in zip(lows, highs, strict=True)]
    used = [i for i, bucket in enumerate(buckets) if bucket.files]
    return tuple(buckets[used[0] : used[-1] + 1]) if used else ()


def _bucket(sizes_bytes: Collection[int], low: int, high: int | None) -> Bucket:
    inside = [size for size in sizes_bytes if low <= size and (high is None or size < high)]
    return Bucket(low, high, files=len(inside), bytes=sum(inside))
