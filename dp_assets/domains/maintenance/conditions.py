"""When there is enough to do: limits on what is measured, joined by ``and`` and ``or``.

Written ``small_files >= 10 or delete_ratio >= 0.3``; ``and`` binds closer, as everywhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.core.units import (
    DAY_MS,
    GIB,
    HOUR_MS,
    KIB,
    MIB,
    MINUTE_MS,
    format_bytes,
    format_seconds,
)

EXAMPLE = "a condition such as small_files >= 10 or bytes >= 1 GiB and age >= 12 h"


class Trigger(StrEnum):
    """What can make an operation due.

    Counts: ``small_files`` that could be merged, ``snapshots`` that the retention lets go,
    ``manifests``. Shares: ``small_share``, ``delete_ratio``. ``age`` since the operation last
    ended. ``bytes`` that it would free or rewrite; `measures` says which for each.
    ``metadata_bytes`` of the metadata file, which an expiry makes smaller.
    """

    SMALL_FILES = "small_files"
    SMALL_SHARE = "small_share"
    DELETE_RATIO = "delete_ratio"
    SNAPSHOTS = "snapshots"
    MANIFESTS = "manifests"
    AGE = "age"
    BYTES = "bytes"
    METADATA_BYTES = "metadata_bytes"


_SHARES = {Trigger.SMALL_SHARE, Trigger.DELETE_RATIO}
_IN_BYTES = {Trigger.BYTES, Trigger.METADATA_BYTES}
_AGES: Mapping[str, int] = {"min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SIZES: Mapping[str, int] = {"KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": 1024 * GIB}
_LIMIT = re.compile(r"(\w+)\s*>=\s*(\d+(?:\.\d+)?)\s*(%|\w*)")


@dataclass(frozen=True, slots=True)
class Limit:
    """``trigger >= threshold``; ages in milliseconds, sizes in bytes, shares from 0 to 1."""

    trigger: Trigger
    threshold: float


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when every limit of any one of its clauses is reached."""

    clauses: tuple[tuple[Limit, ...], ...]


def parse_condition(text: str) -> Condition:
    """What ``text`` says. Raises ValueError when it says nothing of the kind."""
    return Condition(
        tuple(
            tuple(_limit(limit) for limit in re.split(r"\s+and\s+", clause))
            for clause in re.split(r"\s+or\s+", text.strip())
        )
    )


def quantity(trigger: Trigger, value: float) -> str:
    """A measured value or a threshold as people read it."""
    if trigger is Trigger.AGE:
        return age_text(value)
    if trigger in _IN_BYTES:
        return format_bytes(int(value))
    return f"{value:.0%}" if trigger in _SHARES else f"{int(value):,}"


def age_text(age_ms: float) -> str:
    """``7 d``, ``1 h 30 min``: without a second part that is zero."""
    return re.sub(r" 0 \w+$", "", format_seconds(age_ms / 1000))


def _limit(text: str) -> Limit:
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError
    trigger, number, unit = Trigger(found[1]), float(found[2]), found[3]
    threshold = number * _factor(trigger, unit)
    if trigger is Trigger.AGE or trigger in _IN_BYTES:
        threshold = round(threshold)
    elif threshold > 1 if trigger in _SHARES else threshold % 1:
        raise ValueError
    if threshold <= 0:
        raise ValueError
    return Limit(trigger, threshold)


def _factor(trigger: Trigger, unit: str) -> float:
    if trigger in _SHARES:
        units: Mapping[str, float] = {"": 1, "%": 0.01}
    else:
        units = {Trigger.AGE: _AGES, **dict.fromkeys(_IN_BYTES, _SIZES)}.get(trigger, {"": 1})
    if unit not in units:
        raise ValueError
    return units[unit]
