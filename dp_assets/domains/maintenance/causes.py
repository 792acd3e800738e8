"""Why a table needs maintenance, in plain words, the most expensive cause first."""

from collections.abc import Iterator
from dataclasses import dataclass

from dp_assets.core.units import DAY_MS, MIB, format_bytes
from dp_assets.domains.maintenance.burden import (
    KEPT_SNAPSHOTS,
    delete_burden_bytes,
    manifest_burden_bytes,
    metadata_burden_bytes,
    small_burden_bytes,
    snapshot_burden_bytes,
    spare_files,
)
from dp_assets.domains.maintenance.sizing import SMALL_SHARE
from dp_assets.ports.maintenance import TableHealth


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a figure is worth a sentence.

    Attributes:
        spare_files: small data files beyond one per partition; fewer are not worth a rewrite.
        snapshots: kept ones.
        age_ms: of the oldest snapshot, when more than five are kept; twice the usual retention,
            because right after an expiry nothing is older than the retention itself.
        old_share: bytes of old snapshots over those of the head; a rewrite of everything brings
            it to 1 until it expires.
        skew: of tables whose largest partition has at least ``skew_bytes``.
    """

    spare_files: int = 5
    delete_ratio: float = 0.1
    delete_files: int = 10
    manifests: int = 100
    snapshots: int = 100
    age_ms: int = 14 * DAY_MS
    metadata_bytes: int = MIB
    old_share: float = 1.0
    idle_bytes: int = 16 * MIB
    skew: float = 10.0
    skew_bytes: int = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason; ``burden_bytes`` as in :mod:`burden`, 0 for what maintenance cannot mend."""

    text: str
    burden_bytes: int


DEFAULT_LIMITS = Limits()


def causes(
    health: TableHealth, *, now_ms: int, limits: Limits = DEFAULT_LIMITS
) -> tuple[Cause, ...]:
    """What is wrong with a table, worst first; empty for a healthy one."""
    found = (*_files(health, limits), *_history(health, limits, now_ms), *_bytes(health, limits))
    return tuple(sorted(found, key=lambda cause: -cause.burden_bytes))


def needs_maintenance(found: tuple[Cause, ...]) -> bool:
    """Whether any of the causes is one that maintenance can do something about."""
    return any(cause.burden_bytes for cause in found)


def _files(health: TableHealth, limits: Limits) -> Iterator[Cause]:
    if spare_files(health) >= limits.spare_files:
        text = (
            f"{health.small_files:,} of {_of(health.files, 'data file')} are smaller than "
            f"{_small_limit(health)}: mean {format_bytes(health.bytes // health.files)}"
        )
        yield Cause(text, small_burden_bytes(health))
    ratio = health.delete_ratio
    if ratio >= limits.delete_ratio or health.delete_files >= limits.delete_files:
        percent = f"{ratio:.0%}" if ratio >= 0.01 or not ratio else "less than 1%"
        text = (
            f"{percent.replace('%', ' %')} of the rows are deleted by "
            f"{_of(health.delete_files, 'delete file')}"
        )
        yield Cause(text, delete_burden_bytes(health))
    if health.manifests > limits.manifests:
        text = f"{health.manifests:,} manifests list {_of(health.files, 'data file')}"
        yield Cause(text, manifest_burden_bytes(health))


def _history(health: TableHealth, limits: Limits, now_ms: int) -> Iterator[Cause]:
    age_ms = now_ms - (now_ms if health.oldest_snapshot_ms is None else health.oldest_snapshot_ms)
    late = health.snapshots > KEPT_SNAPSHOTS and age_ms > limits.age_ms
    if late or health.snapshots > limits.snapshots:
        days = max(age_ms, 0) // DAY_MS
        text = f"{health.snapshots:,} snapshots, the oldest {_of(days, 'day')} old"
        yield Cause(text, snapshot_burden_bytes(health))
    if health.metadata_bytes >= limits.metadata_bytes:
        size = format_bytes(health.metadata_bytes)
        yield Cause(
            f"a metadata file of {size} is written with every commit", metadata_burden_bytes(health)
        )


def _bytes(health: TableHealth, limits: Limits) -> Iterator[Cause]:
    least = max(limits.idle_bytes, limits.old_share * health.bytes)
    if health.old_bytes >= least:
        size = format_bytes(health.old_bytes)
        yield Cause(f"old snapshots hold {size} that the head does not need", health.old_bytes)
    unheld = health.unheld_bytes or 0
    if unheld >= limits.idle_bytes:
        yield Cause(f"{format_bytes(unheld)} in its folders belong to no snapshot", unheld)
    largest = health.skew * health.bytes / max(health.partition_count, 1)
    if health.skew >= limits.skew and largest >= limits.skew_bytes:
        yield Cause(f"the largest partition has {health.skew:.0f} times the mean of all", 0)


def _small_limit(health: TableHealth) -> str:
    """``96.0 MiB``, or a range where partitions differ; of those that are kept."""
    limits = sorted({round(p.target_bytes * SMALL_SHARE) for p in health.partitions if p.files})
    return " to ".join(format_bytes(limit) for limit in (limits[:1] + limits[1:][-1:]))


def _of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
