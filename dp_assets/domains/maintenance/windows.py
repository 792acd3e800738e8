"""When an operation may begin: hours and weekdays, UTC, also across midnight.

Written ``22:00-06:00 mon-fri``, ``sat,sun``, ``02:00-04:00`` or ``always``.
"""

import re
from dataclasses import dataclass

from dp_assets.core.units import DAY_MS, MINUTE_MS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
EPOCH_WEEKDAY = WEEKDAYS.index("thu")  # 1970-01-01
EXAMPLE = "hours and weekdays in UTC, e.g. 22:00-06:00 mon-fri, or always"
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """The minutes of a week in which something may begin.

    Attributes:
        weekdays: 0 is Monday; a window that crosses midnight belongs to the day it begins on.
        start_minute: of the day.
        minutes: how long it is open, 1 to 1,440.
    """

    weekdays: frozenset[int]
    start_minute: int
    minutes: int

    def is_open(self, at_ms: int) -> bool:
        """Whether it is open at that moment; its end is not part of it."""
        day = at_ms // DAY_MS
        return any(
            start <= at_ms < start + self.minutes * MINUTE_MS
            for start in (self._start(day - 1), self._start(day))
            if start is not None
        )

    def next_open(self, at_ms: int) -> int:
        """The first moment from ``at_ms`` on at which it is open."""
        if self.is_open(at_ms):
            return at_ms
        day = at_ms // DAY_MS
        starts = (self._start(d) for d in range(day, day + len(WEEKDAYS) + 1))
        return next(start for start in starts if start is not None and start > at_ms)

    def _start(self, day: int) -> int | None:
        """When it opens on that day since 1970; None when it does not."""
        if (day + EPOCH_WEEKDAY) % len(WEEKDAYS) not in self.weekdays:
            return None
        return day * DAY_MS + self.start_minute * MINUTE_MS


ALWAYS = Window(frozenset(range(len(WEEKDAYS))), 0, DAY_MINUTES)


def parse_window(text: str) -> Window:
    """What ``text`` says. Raises ValueError when it says nothing of the kind."""
    hours = days = None
    parts = text.lower().split()
    if parts == ["always"]:
        return ALWAYS
    if not 1 <= len(parts) <= 2:
        raise ValueError
    for part in parts:
        if hours is None and (found := _HOURS.fullmatch(part)):
            hours = _minutes(*map(int, found.groups()))
        elif days is None:
            days = _days(part)
        else:
            raise ValueError
    return Window(days or ALWAYS.weekdays, *(hours or (0, DAY_MINUTES)))


def _minutes(from_hour: int, from_minute: int, to_hour: int, to_minute: int) -> tuple[int, int]:
    """Start and length; an end before the start is on the next day."""
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if start >= DAY_MINUTES or end > DAY_MINUTES or max(from_minute, to_minute) > 59:
        raise ValueError
    if start == end:  # a moment, or a whole day? nobody can tell
        raise ValueError
    return start, (end - start) if end > start else DAY_MINUTES - start + end


def _days(text: str) -> frozenset[int]:
    """``mon``, ``mon,thu``, ``mon-fri``, ``fri-mon``."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
        found.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(found)
