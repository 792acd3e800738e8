"""A decision in words: what `dp why` says."""

from collections.abc import Iterator

from dp_assets.core.units import iso_utc
from dp_assets.domains.maintenance.due import Decision
from dp_assets.domains.maintenance.hot import hot_now
from dp_assets.domains.maintenance.measures import Subject
from dp_assets.domains.maintenance.policies import OperationPolicy
from dp_assets.domains.maintenance.said import Said
from dp_assets.ports.leases import Lease

WITH_A_CHANGE = "not by time alone"


def next_text(decision: Decision) -> str:
    """When it begins, at the earliest."""
    if decision.due:
        return "now"
    return WITH_A_CHANGE if decision.next_ms is None else iso_utc(decision.next_ms)


def reason_text(decision: Decision) -> str:
    """Why it begins now, or everything that stands against it."""
    return (" or " if decision.due else "; ").join(decision.reasons)


def standing_text(subject: Subject) -> str:
    """What this product may do with the table, and how it is written."""
    whose = "ours to maintain" if subject.adopted else "foreign: read, never changed"
    return f"{whose}; workload {subject.policy.workload}"


def left_text(lease: Lease) -> str:
    """A lease that nobody will give back."""
    return (
        f"lease {lease.name} was left by {lease.owner}, which has ended: an operation on this "
        f"machine takes it over at once, other machines wait until {iso_utc(lease.expires_at_ms)}"
    )


def hot_texts(subject: Subject, *, now_ms: int) -> Iterator[str]:
    """Partitions that compaction leaves alone now."""
    for hot in hot_now(subject.history, now_ms=now_ms).values():
        until = iso_utc(hot.until_ms)
        yield f"compaction leaves {hot.words or 'the table'} alone until {until}: {hot}"


def said_rows(policy: OperationPolicy) -> Iterator[Said]:
    """Every key of a policy: whether and when first, then the rest by name."""
    first = ("enabled", "when", "window")
    yield from (policy.key(name) for name in first)
    yield from (said for said in policy.said if said.key not in first)
