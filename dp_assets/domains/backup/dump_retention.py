"""Which metastore dumps are kept: by age, and never fewer than two that checked good."""

from collections.abc import Sequence
from dataclasses import dataclass

from dp_assets.core.units import DAY_MS

KEEP_DAYS = 30
KEEP_GOOD = 2
UNFINISHED_MS = DAY_MS  # a dump takes minutes; an older one without its record was killed


@dataclass(frozen=True, slots=True)
class KnownDump:
    """One dump's folder as retention sees it.

    Attributes:
        finished: it has its record.
        good: what its last check said; None when it was never checked.
    """

    name: str
    taken_at_ms: int
    finished: bool
    good: bool | None


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """The decision, complete: every dump is in exactly one of the two, oldest first."""

    keep: tuple[KnownDump, ...]
    remove: tuple[KnownDump, ...]


def plan_retention(
    dumps: Sequence[KnownDump],
    *,
    now_ms: int,
    keep_days: int = KEEP_DAYS,
    keep_good: int = KEEP_GOOD,
) -> RetentionPlan:
    """Remove what is older than ``keep_days``; what was killed after a day.

    The newest ``keep_good`` dumps that checked good stay whatever their age. As long as there are
    fewer, dumps nobody checked stay too: they may be the good ones. A dump from the future, by a
    clock that was wrong, counts as young.
    """
    ordered = sorted(dumps, key=lambda dump: (dump.taken_at_ms, dump.name))
    good = [dump for dump in ordered if dump.finished and dump.good]
    safe = set(good[-keep_good:] if keep_good else ())
    if len(good) < keep_good:
        safe |= {dump for dump in ordered if dump.finished and dump.good is None}

    def stays(dump: KnownDump) -> bool:
        limit_ms = keep_days * DAY_MS if dump.finished else UNFINISHED_MS
        return dump in safe or dump.taken_at_ms >= now_ms - limit_ms

    return RetentionPlan(
        keep=tuple(dump for dump in ordered if stays(dump)),
        remove=tuple(dump for dump in ordered if not stays(dump)),
    )
