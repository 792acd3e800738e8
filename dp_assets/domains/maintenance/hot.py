"""Partitions that others change while they are compacted: hot ones, left alone for a while.

A group in conflict has cost its rewrite and gave nothing. Each further one within two days makes
the partition wait twice as long, as failures of an operation do.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from dp_assets.core.units import DAY_MS
from dp_assets.domains.maintenance.back_off import back_off_ms
from dp_assets.ports.maintenance import Attempt

REMEMBERED_MS = 2 * DAY_MS


class Hot(NamedTuple):
    """How hot a partition is.

    Attributes:
        words: the partition as people know it; "" for a table without partitions.
        conflicts: in the two days before the last one, that one included.
        until_ms: when it is looked at again.
    """

    words: str
    conflicts: int
    until_ms: int

    def __str__(self) -> str:
        return f"changed by others in {self.conflicts} of the last compactions"


def hot_partitions(history: Iterable[Attempt]) -> dict[tuple[int, str], Hot]:
    """Every partition that ever was in conflict, by spec and value; most are not hot any more.

    Args:
        history: attempts on one table, oldest first.
    """
    words: dict[tuple[int, str], str] = {}
    times: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for attempt in history:
        for conflict in attempt.conflicts:
            place = conflict.spec_id, conflict.partition
            words[place] = conflict.words
            times[place].append(attempt.finished_at_ms)
    return {place: _hot(words[place], found) for place, found in times.items()}


def hot_now(history: Iterable[Attempt], *, now_ms: int) -> dict[tuple[int, str], Hot]:
    """Those of `hot_partitions` that are left alone at that time."""
    found = hot_partitions(history).items()
    return {place: hot for place, hot in found if hot.until_ms > now_ms}


def _hot(words: str, times: list[int]) -> Hot:
    last = max(times)
    lately = sum(last - time <= REMEMBERED_MS for time in times)
    return Hot(words, lately, last + back_off_ms(lately))
