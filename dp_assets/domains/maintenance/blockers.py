"""What stands against an operation on a table now, each with the time at which it may end."""

from collections.abc import Collection, Iterator
from itertools import takewhile
from typing import NamedTuple

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, iso_utc
from dp_assets.domains.maintenance.back_off import back_off_ms
from dp_assets.domains.maintenance.conditions import age_text
from dp_assets.domains.maintenance.measures import (
    Findings,
    Subject,
    mergeable_files,
    reached_at,
)
from dp_assets.domains.maintenance.news import (
    FAILURES,
    cools_ms,
    expirable_then,
    has_news,
    is_ops,
)
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Operation, Outcome

IDLE_ATTEMPTS = 5  # after which an operation comes half as often
IDLE = frozenset({Outcome.NOTHING, Outcome.REFUSED})
REMOVING = frozenset({Operation.EXPIRY, Operation.ORPHANS})
HOLD, TABLE, MAINTENANCE = "hold/", "table/", "maintenance/"


class Blocker(NamedTuple):
    """Why not now; ``until_ms`` None: time alone does not end it."""

    reason: str
    until_ms: int | None


def blockers(
    subject: Subject,
    operation: Operation,
    findings: Findings,
    *,
    now_ms: int,
    leases: Collection[Lease],
) -> Iterator[Blocker]:
    """Everything that stands against the operation; nothing when it is due."""
    yield from _of_policy(subject, operation)
    yield from _of_work(subject, operation, findings, now_ms)
    yield from _of_news(subject, operation, now_ms)
    yield from _of_attempts(subject, operation, now_ms)
    yield from _of_window(subject, operation, now_ms)
    yield from _of_leases(subject, operation, leases, now_ms)


def _of_policy(subject: Subject, operation: Operation) -> Iterator[Blocker]:
    policy = subject.policy.operations[operation]
    if not subject.adopted:
        yield Blocker(f"the table is foreign; 'dp adopt {subject.table}' makes it ours", None)
    if policy.problem:
        yield Blocker(policy.problem, None)
    if not policy.enabled:
        yield Blocker(f"switched off by {policy.key('enabled').origin}", None)


def _of_work(
    subject: Subject, operation: Operation, findings: Findings, now_ms: int
) -> Iterator[Blocker]:
    nothing = _nothing_to_do(subject, operation)
    if nothing and (nothing.until_ms is None or nothing.until_ms > now_ms):
        yield nothing
    if not any(all(finding.holds for finding in clause) for clause in findings):
        missing = dict.fromkeys(str(f) for clause in findings for f in clause if not f.holds)
        text = "; ".join(missing)
        yield Blocker(f"too little to do: {text}", reached_at(findings, operation, subject))


def _nothing_to_do(subject: Subject, operation: Operation) -> Blocker | None:
    """What the operation would find; the triggers are about more or less of it."""
    health, policy = subject.health, subject.policy
    if operation is Operation.EXPIRY:
        retention = policy.retention
        days = age_text(retention.max_age_ms)
        until_ms = min(subject.expiry_times, default=None)
        newest = f"the newest {retention.min_snapshots}"
        return Blocker(f"no snapshot older than {days} besides {newest}", until_ms)
    if operation is Operation.MANIFESTS and health.manifests < 2:
        return Blocker("fewer than two manifests", None)
    if operation is Operation.COMPACTION:
        fewest = policy.min_inputs
        if not (mergeable_files(health, fewest) or health.delete_files):
            return Blocker(f"no partition with {fewest} small files, and no deletes", None)
    return None


def _of_news(subject: Subject, operation: Operation, now_ms: int) -> Iterator[Blocker]:
    done = subject.of(operation)
    if not done or done[-1].outcome in FAILURES:
        return
    last = done[-1]
    ended = f"since {operation} ended with {last.outcome!s} at {iso_utc(last.finished_at_ms)}"
    if operation is Operation.EXPIRY:
        before = expirable_then(subject, last.started_at_ms)
        times = subject.expiry_times
        if subject.expirable(now_ms) <= before:
            until_ms = times[before] if len(times) > before else None
            yield Blocker(f"no further snapshot came of age {ended}", until_ms)
    elif not has_news(subject, operation, last):
        until_ms = cools_ms(subject, operation, last)
        if until_ms is None or until_ms > now_ms:
            yield Blocker(f"nobody wrote to the table {ended}", until_ms)


def _of_attempts(subject: Subject, operation: Operation, now_ms: int) -> Iterator[Blocker]:
    done = subject.of(operation)
    if not done:
        return
    ended_ms = done[-1].finished_at_ms
    interval_ms = subject.policy.operations[operation].min_interval_ms
    newest_first = tuple(reversed(done))
    failures = len(list(takewhile(lambda a: a.outcome in FAILURES, newest_first)))
    idle = len(list(takewhile(lambda a: a.outcome in IDLE, newest_first)))
    if failures:
        wait_ms = back_off_ms(failures)
        wait_ms = max(wait_ms, DAY_MS) if is_ops(subject) else wait_ms
        text = f"{failures} {'failure' if failures == 1 else 'failures'} in a row"
        said = f"{text}, the last: {done[-1].problem or done[-1].outcome}"
    elif idle >= IDLE_ATTEMPTS:
        wait_ms = 2 * interval_ms
        said = f"half as often, because the last {idle} found nothing to do"
    else:
        wait_ms = interval_ms
        said = f"the last one ended at {iso_utc(ended_ms)}"
    if now_ms < ended_ms + wait_ms:
        waits = age_text(wait_ms)
        yield Blocker(f"{said}; the next begins {waits} after it", ended_ms + wait_ms)


def _of_window(subject: Subject, operation: Operation, now_ms: int) -> Iterator[Blocker]:
    policy = subject.policy.operations[operation]
    if not policy.window.is_open(now_ms):
        opens_ms = policy.window.next_open(now_ms)
        yield Blocker(f"outside of its window, {policy.key('window').value}", opens_ms)


def is_of_a_table(lease: Lease) -> bool:
    """Whether it keeps others from working on a table."""
    return lease.name.startswith((TABLE, MAINTENANCE))


def is_about(lease: Lease, table: TableId) -> bool:
    """Whether it keeps others from working on that one."""
    return lease.name in (f"{TABLE}{table}", f"{MAINTENANCE}{table}")


def _of_leases(
    subject: Subject, operation: Operation, leases: Collection[Lease], now_ms: int
) -> Iterator[Blocker]:
    """Somebody at work on the table; a recovery point in the making holds what may be removed."""
    for lease in leases:
        if lease.expires_at_ms <= now_ms:
            continue
        ends = f"its lease ends at {iso_utc(lease.expires_at_ms)} unless it is renewed"
        if lease.name == f"{TABLE}{subject.table}":
            yield Blocker(f"{lease.owner} is at work on it, {ends}", lease.expires_at_ms)
        elif lease.name == f"{MAINTENANCE}{subject.table}":
            reason = f"it is being maintained by {lease.owner}, {ends}"
            yield Blocker(reason, lease.expires_at_ms)
        elif operation in REMOVING and lease.name.startswith(HOLD):
            reason = f"{lease.owner} holds old files until {lease.name} is done, {ends}"
            yield Blocker(reason, lease.expires_at_ms)
