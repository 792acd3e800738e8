"""What is due of all tables together, from arguments alone.

One operation per table at a time, the worst first, within what an hour may cost.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS, format_bytes
from dp_assets.domains.maintenance.due import Decision, decide, due
from dp_assets.domains.maintenance.measures import Subject
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Attempt, Operation, Outcome

COSTLY = frozenset({Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Budget:
    """What an hour may cost: tables worked on, and bytes that compaction rewrites."""

    tables: int
    bytes: int


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
