"""How a table is written, from the times of its commits; it sets file sizes and kept snapshots."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from dp_assets.core.units import DAY_MS, HOUR_MS, MIB
from dp_assets.ports.maintenance import Operation

OPERATION = "dp.operation"  # in the summaries of our snapshots
DORMANT_MS = 30 * DAY_MS
STREAMING_HOURS = 12  # of 24
BATCH_DAYS = 4  # of 14
SMALL_TARGET, LARGE_TARGET = 128 * MIB, 512 * MIB


class Workload(StrEnum):
    """How often rows arrive."""

    STREAMING = "streaming"
    BATCH = "batch"
    SLOW = "slow"
    DORMANT = "dormant"


class Commit(NamedTuple):
    """A snapshot: when, and whether maintenance of ours made it."""

    timestamp_ms: int
    is_ours: bool


def is_maintenance(summary: Mapping[str, str]) -> bool:
    """Whether a snapshot brings no news: `dp` wrote it to keep the table healthy.

    Our pipelines mark their snapshots, too; those bring rows and count like anybody's.
    """
    return summary.get(OPERATION) in set(Operation)


def workload_of(commits: Iterable[tuple[int, bool]], *, now_ms: int) -> Workload:
    """The class of a table; ``commits`` are (epoch milliseconds, ours), in any order.

    Hours and days with a commit are counted, not commits: a hundred days loaded in one minute
    are one load. Streaming: 12 of the 24 hours before the last commit had one. Batch: 4 of the
    14 days. Dormant: none for 30 days. These numbers are our choice. A commit dated after
    ``now_ms`` counts as now.
    """
    times = [min(timestamp_ms, now_ms) for timestamp_ms, is_ours in commits if not is_ours]
    last = max(times, default=None)
    if last is None or now_ms - last > DORMANT_MS:
        return Workload.DORMANT
    if _slots(times, last, slot_ms=HOUR_MS, back=24) >= STREAMING_HOURS:
        return Workload.STREAMING
    return (
        Workload.BATCH
        if _slots(times, last, slot_ms=DAY_MS, back=14) >= BATCH_DAYS
        else (Workload.SLOW)
    )


def kept_snapshots(workload: Workload) -> int:
    """Newest snapshots kept at any age: minutes of a stream, a week of days, five of the rest."""
    return {Workload.STREAMING: 20, Workload.BATCH: 7}.get(workload, 5)


def fixed_target(workload: Workload) -> int | None:
    """Bytes of a data file; None: by partition.

    What is rewritten often is rewritten in small pieces, what is only read in large ones.
    """
    return {Workload.STREAMING: SMALL_TARGET, Workload.DORMANT: LARGE_TARGET}.get(workload)


def _slots(times: list[int], last: int, *, slot_ms: int, back: int) -> int:
    """Of the ``back`` slots up to that of ``last``, those with a commit."""
    newest = last // slot_ms
    return len({t // slot_ms for t in times if newest - t // slot_ms < back})
