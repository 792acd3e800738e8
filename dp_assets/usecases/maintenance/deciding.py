"""Which operations on which tables begin now, and why; reads the lakehouse, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.lease_owner import is_gone
from dp_assets.adapters.metadata_facts import is_adopted
from dp_assets.adapters.pyiceberg_inventory import list_pointers, reading_io
from dp_assets.core.errors import LakeError
from dp_assets.core.units import GIB
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.maintenance.blockers import is_about, is_of_a_table
from dp_assets.domains.maintenance.due import Decision, undecided
from dp_assets.domains.maintenance.fleet import Budget, decide_fleet
from dp_assets.domains.maintenance.measures import Subject
from dp_assets.domains.maintenance.policies import TablePolicy, policy_of
from dp_assets.domains.maintenance.workload import Commit, is_maintenance, workload_of
from dp_assets.ports.maintenance import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from dp_assets.adapters.iceberg_json import Json
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.leases import Lease
    from dp_assets.ports.maintenance import Attempt, TableHealth

    Health = Callable[[TableId], TableHealth]
    Attempts = Callable[[TableId], Sequence[Attempt]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One table as it was looked at, and a decision on each operation in their order.

    Attributes:
        left: leases on the table of processes of this machine that have ended.
    """

    subject: Subject
    decisions: tuple[Decision, ...]
    left: tuple[Lease, ...] = ()


def policy_at(lake: Lakehouse, table: TableId, pointer: str, *, now_ms: int) -> TablePolicy:
    """What applies to the table that the metadata file at ``pointer`` describes.

    Raises:
        ConfigurationError: two rules contradict each other.
        PermanentError: the metadata cannot be read.
    """
    metadata = read_metadata(reading_io(lake.catalog, table), pointer)
    return policy_for(lake, table, metadata, now_ms=now_ms)


def explain(
    lake: Lakehouse,
    name: str,
    *,
    health: Health,
    attempts: Attempts,
    recent: Sequence[Attempt] = (),
    now_ms: int,
) -> Explanation:
    """Why each operation on the table called ``name`` begins now, or does not.

    Args:
        lake: open.
        name: as a person typed it.
        health: measures a table.
        attempts: what was done to a table before.
        recent: attempts on any table in the last hour; they count to the budget.
        now_ms: the time that is judged.

    Raises:
        ConfigurationError: there is no such table, or two rules contradict each other.
        PermanentError: its metadata cannot be read.
    """
    table = find_table(name, list_pointers(lake.catalog))
    subject = subject_of(lake, table, health=health, attempts=attempts, now_ms=now_ms)
    held = lake.leases.held()
    decisions = decide_fleet(
        [subject],
        budget=_budget(lake),
        recent=recent,
        leases=_of_the_living(held),
        now_ms=now_ms,
    )
    order = list(subject.policy.operations)
    return Explanation(
        subject,
        tuple(sorted(decisions, key=lambda d: order.index(d.operation))),
        left=tuple(one for one in held if is_about(one, table) and is_gone(one.owner)),
    )


def decide_tables(
    lake: Lakehouse,
    tables: Iterable[TableId],
    *,
    health: Health,
    attempts: Attempts,
    recent: Sequence[Attempt] = (),
    now_ms: int,
    operations: Collection[Operation] = tuple(Operation),
) -> tuple[Decision, ...]:
    """A decision on ``operations`` on every one of ``tables``; those that are due come first.

    A table that cannot be read or whose rules contradict each other stops no other: none of its
    operations is due, and the reason says so. Arguments as of `explain`.
    """
    subjects: list[Subject] = []
    refused: list[Decision] = []
    for table in tables:
        try:
            subjects.append(
                subject_of(lake, table, health=health, attempts=attempts, now_ms=now_ms)
            )
        except LakeError as error:
            refused += undecided(table, error.what)
    decisions = decide_fleet(
        subjects,
        budget=_budget(lake),
        recent=recent,
        leases=_of_the_living(lake.leases.held()),
        now_ms=now_ms,
        operations=operations,
    )
    return (*decisions, *(d for d in refused if d.operation in operations))


def subject_of(
    lake: Lakehouse, table: TableId, *, health: Health, attempts: Attempts, now_ms: int
) -> Subject:
    """Everything that a decision about ``table`` looks at, all of it at one pointer."""
    found = health(table)
    metadata = read_metadata(reading_io(lake.catalog, table), found.pointer)
    return Subject(
        policy=policy_for(lake, table, metadata, now_ms=now_ms),
        adopted=is_adopted(metadata.get("properties") or {}),
        health=found,
        commits=commits_of(metadata),
        attempts=tuple(attempts(table)),
    )


def commits_of(metadata: Json) -> tuple[Commit, ...]:
    """The kept snapshots in the order of their commits, which version 1 does not number."""
    snapshots = metadata.get("snapshots") or ()
    ordered = sorted(snapshots, key=lambda s: s.get("sequence-number") or 0)
    return tuple(Commit(s["timestamp-ms"], is_maintenance(s.get("summary") or {})) for s in ordered)


def policy_for(lake: Lakehouse, table: TableId, metadata: Json, *, now_ms: int) -> TablePolicy:
    """What applies to the table that has this metadata. Raises ConfigurationError as above."""
    return policy_of(
        table,
        rules=lake.settings.maintenance.policies,
        properties=metadata.get("properties") or {},
        workload=workload_of(commits_of(metadata), now_ms=now_ms),
    )


def _budget(lake: Lakehouse) -> Budget:
    budget = lake.settings.maintenance.budget
    return Budget(tables=budget.tables_per_hour, bytes=budget.gib_per_hour * GIB)


def _of_the_living(held: Iterable[Lease]) -> tuple[Lease, ...]:
    """Without the leases on tables that whoever comes next on this machine takes over at once.

    A hold counts until it ends: what it protects may be needed by the next process, which takes
    the work up where the dead one left it.
    """
    return tuple(one for one in held if not (is_of_a_table(one) and is_gone(one.owner)))
