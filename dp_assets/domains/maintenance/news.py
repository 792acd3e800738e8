"""What became of a table since an operation was last done to it."""

from dp_assets.domains.maintenance.hot import hot_partitions
from dp_assets.domains.maintenance.measures import Subject
from dp_assets.domains.maintenance.said import OPS
from dp_assets.ports.maintenance import Attempt, Operation, Outcome

FAILURES = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


def cools_ms(subject: Subject, operation: Operation, last: Attempt) -> int | None:
    """When the first of the partitions that ``last`` left alone for a while is looked at again."""
    if operation is not Operation.COMPACTION:
        return None
    times = (hot.until_ms for hot in hot_partitions(subject.history).values())
    return min((time for time in times if time > last.started_at_ms), default=None)


def expirable_then(subject: Subject, then_ms: int) -> int:
    """Of the snapshots that are still there, those that an expiry at that time could let go."""
    retention = subject.policy.retention
    known = [at_ms for at_ms in subject.commit_times if at_ms <= then_ms]
    old = known[: max(0, len(known) - retention.min_snapshots)]
    return sum(then_ms - at_ms > retention.max_age_ms for at_ms in old)


def has_news(subject: Subject, operation: Operation, last: Attempt) -> bool:
    """Whether others wrote, or a failure of ours left files that were too young then.

    A run about a table of `ops` ends in a row in `ops`: that many commits are no news.
    """
    from_ms = last.started_at_ms
    if operation is Operation.ORPHANS:
        from_ms -= subject.policy.orphan_age_ms
        if any(a.outcome in FAILURES and a.finished_at_ms >= from_ms for a in subject.history):
            return True
    elif last.pointer == subject.health.pointer:
        return False
    since = sum(attempt.finished_at_ms >= from_ms for attempt in subject.history)
    return subject.arrivals(from_ms) > (since if is_ops(subject) else 0)


def is_ops(subject: Subject) -> bool:
    """Whether the table is one of our own, which every run writes to."""
    return subject.table.namespace.partition(".")[0] == OPS
