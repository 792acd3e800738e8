"""What is due: for an operation on a table a decision with its reasons, from arguments alone."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS
from dp_assets.domains.maintenance.blockers import Blocker, blockers
from dp_assets.domains.maintenance.measures import (
    Finding,
    Findings,
    Subject,
    measure,
    rewritten_bytes,
)
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Operation

HIGHEST_SCORE = 1000.0
CLOCK_SKEW_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an operation on a table begins now, and why.

    Attributes:
        score: how far above its limits the table is; 0 when it is below them.
        reasons: limits that are reached when due, else everything that stands against it.
        findings: every limit and what was measured.
        next_ms: the earliest time at which a decision against it may change; None: not by time
            alone, but with a commit, a property, a setting.
        cost_bytes: what it rewrites at most.
    """

    table: TableId
    operation: Operation
    due: bool
    score: float
    reasons: tuple[str, ...]
    findings: Findings
    next_ms: int | None
    cost_bytes: int = 0


def decide(
    subject: Subject, operation: Operation, *, now_ms: int, leases: Collection[Lease]
) -> Decision:
    """The decision on one operation, other tables and operations left out.

    Of ``leases``, those named ``table/...`` are of who works on a table, and ``hold/...``
    protect files from removal. Attempts dated an hour ahead or more are those of a clock that
    was wrong, and left out.
    """
    past = tuple(a for a in subject.attempts if a.finished_at_ms < now_ms + CLOCK_SKEW_MS)
    if len(past) < len(subject.attempts):
        subject = replace(subject, attempts=past)
    policy = subject.policy.operations[operation]
    findings = measure(policy.when, operation, subject, now_ms)
    against = tuple(blockers(subject, operation, findings, now_ms=now_ms, leases=leases))
    until_ms = _latest(against)
    return Decision(
        table=subject.table,
        operation=operation,
        due=not against,
        score=_score(findings),
        reasons=tuple(b.reason for b in against) or tuple(_reached(findings)),
        findings=findings,
        next_ms=None if until_ms is None else policy.window.next_open(until_ms),
        cost_bytes=_cost_bytes(subject) if operation is Operation.COMPACTION else 0,
    )


def _cost_bytes(subject: Subject) -> int:
    return rewritten_bytes(subject.health, subject.policy.min_inputs)


def due(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those that begin now, the worst first."""
    return tuple(decision for decision in decisions if decision.due)


def undecided(table: TableId, problem: str) -> tuple[Decision, ...]:
    """The decisions on a table that cannot be judged: none of its operations begins."""
    return tuple(
        Decision(
            table, operation, due=False, score=0.0, reasons=(problem,), findings=(), next_ms=None
        )
        for operation in Operation
    )


def _latest(against: Sequence[Blocker]) -> int | None:
    """When the last of them ends; None when one does not end by itself, or there is none."""
    times = [blocker.until_ms for blocker in against]
    known = [time for time in times if time is not None]
    return max(known, default=None) if len(known) == len(times) else None


def _holds(clause: Sequence[Finding]) -> bool:
    return all(finding.holds for finding in clause)


def _score(findings: Findings) -> float:
    over = (min(f.times_over for f in clause) for clause in findings if _holds(clause))
    return min(max(over, default=0.0), HIGHEST_SCORE)


def _reached(findings: Findings) -> Iterator[str]:
    """The clauses that hold, in words."""
    for clause in filter(_holds, findings):
        yield " and ".join(map(str, clause))
