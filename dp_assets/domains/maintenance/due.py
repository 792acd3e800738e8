"""What is due: for every operation on every table a decision with its reasons.

`decide` answers for one table; `decide_fleet` for all of them together, one operation per table
at a time, the worst first, within what an hour may cost. Both look at nothing but arguments.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS, format_bytes
from dp_assets.domains.maintenance.blockers import Blocker, blockers
from dp_assets.domains.maintenance.measures import (
    Finding,
    Findings,
    Subject,
    measure,
    rewritten_bytes,
)
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Attempt, Operation, Outcome

HIGHEST_SCORE = 1000.0
CLOCK_SKEW_MS = HOUR_MS
COSTLY = frozenset({Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Budget:
    """What an hour may cost: tables worked on, and bytes that compaction rewrites."""

    tables: int
    bytes: int


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


def decide_fleet(
    subjects: Iterable[Subject],
    *,
    budget: Budget,
    recent: Sequence[Attempt],
    leases: Collection[Lease],
    now_ms: int,
    operations: Collection[Operation] = tuple(Operation),
) -> tuple[Decision, ...]:
    """Every decision on ``operations``: those that are due first, the worst of them first.

    What of ``recent``, attempts on any table, began within the last hour counts to the budget.
    """
    decided: list[Decision] = []
    for subject in subjects:
        decided += _one_at_a_time(subject, operations, leases=leases, now_ms=now_ms)
    spent = _spent(recent, budget=budget, now_ms=now_ms)
    wanted = sorted((d for d in decided if d.due), key=_worst_first)
    judged = [spent.judge(decision) for decision in wanted]
    return (*due(judged), *(d for d in (*judged, *decided) if not d.due))


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


@dataclass
class _Spent:
    """What the hour has cost so far, this decision's predecessors included."""

    budget: Budget
    tables: set[str]
    bytes: int
    frees_ms: int
    is_full: bool = False

    def judge(self, decision: Decision) -> Decision:
        """The decision, if the hour can pay for it.

        The first one that does not fit closes the hour for all that rewrite; else small ones
        would keep a large one waiting for ever. One alone may be larger than the whole budget.
        """
        is_new = str(decision.table) not in self.tables
        if is_new and len(self.tables) >= self.budget.tables:
            return self._later(decision, f"{self.budget.tables} tables")
        over = self.bytes > 0 and self.bytes + decision.cost_bytes > self.budget.bytes
        if decision.cost_bytes and (self.is_full or over):
            self.is_full = True
            return self._later(decision, format_bytes(self.budget.bytes))
        self.tables.add(str(decision.table))
        self.bytes += decision.cost_bytes
        return decision

    def _later(self, decision: Decision, limit: str) -> Decision:
        reason = f"the hour's budget of {limit} is spent on worse tables"
        return replace(decision, due=False, reasons=(reason,), next_ms=self.frees_ms)


def _spent(recent: Sequence[Attempt], *, budget: Budget, now_ms: int) -> _Spent:
    begun = [one for one in recent if now_ms - HOUR_MS < one.started_at_ms <= now_ms]
    return _Spent(
        budget=budget,
        tables={one.table for one in begun},
        bytes=sum(map(_rewritten, begun)),
        frees_ms=min((one.started_at_ms for one in begun), default=now_ms) + HOUR_MS,
    )


def _rewritten(attempt: Attempt) -> int:
    """What a compaction read; where it does not say, the whole table."""
    if attempt.operation is not Operation.COMPACTION or attempt.outcome not in COSTLY:
        return 0
    figures = attempt.before or {}
    return figures.get("rewritten_bytes", figures.get("bytes", 0))


def _one_at_a_time(
    subject: Subject,
    operations: Collection[Operation],
    *,
    leases: Collection[Lease],
    now_ms: int,
) -> Iterator[Decision]:
    """The table's decisions in the order of operations; the first that is due goes first."""
    first: Operation | None = None
    for operation in filter(operations.__contains__, Operation):
        decision = decide(subject, operation, now_ms=now_ms, leases=leases)
        if decision.due and first:
            reason = f"{first} of the same table goes first"
            decision = replace(decision, due=False, reasons=(reason,), next_ms=None)
        elif decision.due:
            first = operation
        yield decision


def _worst_first(decision: Decision) -> tuple[float, TableId]:
    return -decision.score, decision.table


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
