"""What is known of a table that may be due, and what the triggers measure of it."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.conditions import Condition, Limit, Trigger, quantity
from dp_assets.domains.maintenance.policies import TablePolicy
from dp_assets.domains.maintenance.workload import Commit
from dp_assets.ports.maintenance import Attempt, Operation, PartitionHealth, TableHealth

MANY_DELETES = 0.3  # share of a partition's rows from which it is rewritten for them alone


@dataclass(frozen=True)
class Subject:
    """One table and everything that a decision about it looks at.

    Attributes:
        adopted: ours to change; else foreign.
        commits: its kept snapshots in the order of their commits.
        attempts: what was done to the table of that name, in any order.
    """

    policy: TablePolicy
    adopted: bool
    health: TableHealth
    commits: tuple[Commit, ...]
    attempts: tuple[Attempt, ...] = ()

    @property
    def table(self) -> TableId:
        return self.policy.table

    @cached_property
    def history(self) -> tuple[Attempt, ...]:
        """The attempts on this very table, oldest first; drop and create is another one."""
        own = (one for one in self.attempts if one.uuid == self.health.uuid)
        return tuple(sorted(own, key=lambda one: (one.finished_at_ms, one.started_at_ms)))

    def of(self, operation: Operation) -> tuple[Attempt, ...]:
        """The attempts of one operation, oldest first."""
        return tuple(one for one in self.history if one.operation is operation)

    @cached_property
    def commit_times(self) -> tuple[int, ...]:
        """When each commit happened at the earliest: no clock puts it before the one before it."""
        return tuple(accumulate((commit.timestamp_ms for commit in self.commits), max))

    def arrivals(self, from_ms: int) -> int:
        """Commits of others from ``from_ms`` on."""
        pairs = zip(self.commits, self.commit_times, strict=True)
        return sum(not commit.is_ours and at_ms >= from_ms for commit, at_ms in pairs)

    @cached_property
    def expiry_times(self) -> tuple[int, ...]:
        """When the retention lets go of snapshots, sorted; the newest ones by count are not in it.

        An upper bound: branches, tags and holds keep some of them longer.
        """
        retention = self.policy.retention
        old = self.commit_times[: max(0, len(self.commits) - retention.min_snapshots)]
        return tuple(at_ms + retention.max_age_ms + 1 for at_ms in old)

    def expirable(self, at_ms: int) -> int:
        """Snapshots that the retention has let go at that moment."""
        return sum(time_ms <= at_ms for time_ms in self.expiry_times)


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit and what was measured against it; None: the operation was never done."""

    limit: Limit
    measured: float | None

    @property
    def holds(self) -> bool:
        return self.measured is None or self.measured >= self.limit.threshold

    @property
    def times_over(self) -> float:
        """Measured over threshold; 1 where nothing was measured."""
        return 1.0 if self.measured is None else self.measured / self.limit.threshold

    def __str__(self) -> str:
        trigger, enough = self.limit.trigger, self.limit.threshold
        said = "never done" if self.measured is None else quantity(trigger, self.measured)
        return f"{trigger} {said}, {quantity(trigger, enough)} is enough"


Findings = tuple[tuple[Finding, ...], ...]


def measure(condition: Condition, operation: Operation, subject: Subject, now_ms: int) -> Findings:
    """Every limit of the condition against the table."""
    return tuple(
        tuple(Finding(limit, measured(limit.trigger, operation, subject, now_ms)) for limit in one)
        for one in condition.clauses
    )


def reached_at(findings: Findings, operation: Operation, subject: Subject) -> int | None:
    """When time alone makes the condition hold; None when it never does."""
    clauses = [
        [_limit_reached_at(finding, operation, subject) for finding in clause]
        for clause in findings
    ]
    times = [[time for time in clause if time is not None] for clause in clauses]
    whole = (max(t) for t, clause in zip(times, clauses, strict=True) if len(t) == len(clause))
    return min(whole, default=None)


def measured(trigger: Trigger, operation: Operation, subject: Subject, now_ms: int) -> float | None:
    """One measure; None for the age of what was never done."""
    health = subject.health
    match trigger:
        case Trigger.SMALL_FILES:
            return mergeable_files(health, subject.policy.min_inputs)
        case Trigger.SMALL_SHARE:
            mergeable = mergeable_files(health, subject.policy.min_inputs)
            return mergeable / health.files if health.files else 0
        case Trigger.DELETE_RATIO:
            return health.delete_ratio
        case Trigger.SNAPSHOTS:
            return subject.expirable(now_ms)
        case Trigger.MANIFESTS:
            return health.manifests
        case Trigger.AGE:
            done = subject.of(operation)
            return max(0, now_ms - done[-1].finished_at_ms) if done else None
        case Trigger.BYTES:
            return _bytes(operation, health, subject.policy.min_inputs)
        case Trigger.METADATA_BYTES:
            return health.metadata_bytes


def mergeable_files(health: TableHealth, min_inputs: int) -> int:
    """Small files in partitions that have enough of them to merge.

    One small file in each of a thousand partitions is nothing to do. Of partitions that the
    health does not list, all are counted when one too few in each do not explain their number.
    """
    listed = sum(p.small_files for p in health.partitions if p.small_files >= min_inputs)
    rest = health.small_files - sum(p.small_files for p in health.partitions)
    unlisted = health.partition_count - len(health.partitions)
    return listed + (rest if rest > unlisted * (min_inputs - 1) else 0)


def rewritten_bytes(health: TableHealth, min_inputs: int) -> int:
    """Bytes that a compaction reads at most."""
    worth = [p for p in health.partitions if p.small_files >= min_inputs or _many_deletes(p)]
    listed = sum(p.small_files for p in health.partitions if p.small_files >= min_inputs)
    known = sum(p.bytes for p in health.partitions)
    rest = health.bytes - known if mergeable_files(health, min_inputs) > listed else 0
    return sum(p.bytes for p in worth) + max(0, rest)


def _many_deletes(partition: PartitionHealth) -> bool:
    return partition.deleted_rows >= MANY_DELETES * max(partition.rows, 1)


def _bytes(operation: Operation, health: TableHealth, min_inputs: int) -> int:
    """What an operation would free or rewrite.

    Expiry: what only old snapshots hold. Manifests: those of the head. Compaction: what it reads.
    Orphans: what nothing held at the last sweep.
    """
    match operation:
        case Operation.EXPIRY:
            return health.old_bytes
        case Operation.MANIFESTS:
            return health.manifest_bytes
        case Operation.COMPACTION:
            return rewritten_bytes(health, min_inputs)
        case Operation.ORPHANS:
            return health.unheld_bytes or 0


def _limit_reached_at(finding: Finding, operation: Operation, subject: Subject) -> int | None:
    threshold = int(finding.limit.threshold)
    if finding.limit.trigger is Trigger.AGE:
        done = subject.of(operation)
        return done[-1].finished_at_ms + threshold if done else 0
    if finding.limit.trigger is Trigger.SNAPSHOTS:
        times = subject.expiry_times
        return times[threshold - 1] if len(times) >= threshold else None
    return 0 if finding.holds else None
