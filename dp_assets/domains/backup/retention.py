"""Which recovery points are kept, and why: the one decision before anything is forgotten.

Buckets as in restic's keep-daily and its siblings: the newest complete point of each of the last
n days, weeks and months that have one. "Newest" is the highest number, never a clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dp_assets.core.units import utc


@dataclass(frozen=True, slots=True)
class PointAge:
    """What retention knows of a point."""

    number: int
    created_at_ms: int
    complete: bool
    proven: bool
    pinned: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """How many of each are kept."""

    daily: int
    weekly: int
    monthly: int
    min_proven: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A point and why it stays; no reason: it may be forgotten."""

    number: int
    reasons: tuple[str, ...]


def plan_retention(points: Iterable[PointAge], rules: Rules) -> tuple[Kept, ...]:
    """Every point with its reasons, oldest first.

    An incomplete point is no recovery and fills no bucket. It stays while it is newer than the
    newest complete one but two, so that a person sees it.
    """
    newest_first = sorted(points, key=lambda point: point.number, reverse=True)
    reasons: dict[int, list[str]] = {point.number: [] for point in newest_first}
    complete = [point for point in newest_first if point.complete]
    for point in complete[:1]:
        reasons[point.number].append("newest")
    for point in newest_first:
        if point.pinned:
            reasons[point.number].append("pinned")
    for point in [p for p in complete if p.proven][: rules.min_proven]:
        reasons[point.number].append("proven")
    buckets: tuple[tuple[str, int, Callable[[int], str]], ...] = (
        ("daily", rules.daily, lambda ms: utc(ms).strftime("%Y-%m-%d")),
        ("weekly", rules.weekly, lambda ms: utc(ms).strftime("%G-W%V")),
        ("monthly", rules.monthly, lambda ms: utc(ms).strftime("%Y-%m")),
    )
    for name, count, bucket in buckets:
        for number, label in _newest_of_each(complete, bucket, count):
            reasons[number].append(f"{name} {label}")
    for number in _recent_incomplete(newest_first, complete):
        reasons[number].append("incomplete, and recent")
    return tuple(Kept(number, tuple(reasons[number])) for number in sorted(reasons))


def _newest_of_each(
    newest_first: list[PointAge], bucket: Callable[[int], str], count: int
) -> list[tuple[int, str]]:
    found: dict[str, int] = {}
    for point in newest_first:
        found.setdefault(bucket(point.created_at_ms), point.number)
    return [(number, label) for label, number in found.items()][:count]


def _recent_incomplete(newest_first: list[PointAge], complete: list[PointAge]) -> list[int]:
    oldest_shown = complete[2].number if len(complete) > 2 else 0
    return [p.number for p in newest_first if not p.complete and p.number > oldest_shown]
