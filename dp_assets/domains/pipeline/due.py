"""Which days need work, and in which runs. Pure; the record of what was made comes from outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

TRAILING_DAYS = 7

RAW = ("raw/flights", "raw/weather")
CURATED = "curated/flights"
FEATURES = ("features/route_day", "features/carrier_day")

Made = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Days to take through the whole pipeline, and days whose features alone are out of date."""

    ingest: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayRange:
    """Consecutive days that one run takes; both ends included."""

    first: str
    last: str

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first}..{self.last}"


def plan_days(days: Sequence[str], made: Made) -> DayPlan:
    """Split ``days`` into what is missing, what is out of date, and what needs nothing.

    Args:
        days: ISO dates asked for.
        made: asset -> day -> order of its last materialization; greater is later. Only the order
            counts, so any increasing number will do.

    A day is ingested when a raw or curated table lacks it or curated is older than raw. Features
    are out of date when curated changed on that day or one of the seven before it: they look back
    over those. Taking such a day through the whole pipeline again would make the next seven due,
    and so on to the end of the year; hence the two lists.
    """
    curated = made.get(CURATED, {})
    ingest = tuple(d for d in sorted(days) if _curated_is_stale(d, made))
    behind = tuple(
        d for d in sorted(days) if d not in set(ingest) and _features_are_stale(d, made, curated)
    )
    return DayPlan(ingest=ingest, features=behind)


def ranges(days: Collection[str], *, at_most: int) -> tuple[DayRange, ...]:
    """Consecutive days as ranges of at most ``at_most`` days, oldest first."""
    found: list[list[date]] = []
    for day in sorted(date.fromisoformat(d) for d in days):
        follows = found and day - found[-1][-1] == timedelta(days=1)
        if follows and len(found[-1]) < at_most:
            found[-1].append(day)
        else:
            found.append([day])
    return tuple(DayRange(days[0].isoformat(), days[-1].isoformat()) for days in found)


def _curated_is_stale(day: str, made: Made) -> bool:
    have = made.get(CURATED, {}).get(day)
    sources = [made.get(asset, {}).get(day) for asset in RAW]
    return have is None or any(source is None or source > have for source in sources)


def _features_are_stale(day: str, made: Made, curated: Mapping[str, int]) -> bool:
    looked_at = [
        curated.get((date.fromisoformat(day) - timedelta(days=back)).isoformat(), 0)
        for back in range(TRAILING_DAYS + 1)
    ]
    newest = max(looked_at)
    return any(made.get(asset, {}).get(day, -1) < newest for asset in FEATURES)
