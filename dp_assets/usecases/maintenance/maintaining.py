"""One operation on one table, from the plan that a person can read to the row in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.process_memory import PeakMemory
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import LakeError, OutcomeUnknownError
from dp_assets.core.units import now_ms as clock_ms
from dp_assets.ports.maintenance import Attempt, MaintenanceRefusedError, Operation, Outcome
from dp_assets.usecases.maintenance.compaction_work import plan_compaction_work
from dp_assets.usecases.maintenance.deciding import policy_at
from dp_assets.usecases.maintenance.expiry_work import plan_expiry_work
from dp_assets.usecases.maintenance.holding import alone
from dp_assets.usecases.maintenance.journaling import keep
from dp_assets.usecases.maintenance.manifests_work import plan_manifests_work
from dp_assets.usecases.maintenance.measuring import measure_health
from dp_assets.usecases.maintenance.orphans_work import plan_orphans_work
from dp_assets.usecases.maintenance.time_limit import TimeLimit
from dp_assets.usecases.maintenance.work import Done, Planner, Running, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import TableHealth

# What can be done, in the order in which it is done to one table.
PLANNERS: Mapping[Operation, Planner] = {
    Operation.EXPIRY: plan_expiry_work,
    Operation.MANIFESTS: plan_manifests_work,
    Operation.COMPACTION: plan_compaction_work,
    Operation.ORPHANS: plan_orphans_work,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """What an operation would do to a table now.

    Attributes:
        work: its plan; None when it is refused.
        refused: why it is not done; "" when it is.
        pointer: of the table when this was planned.
    """

    table: TableId
    operation: Operation
    policy: TablePolicy
    pointer: str
    work: Work | None
    refused: str = ""

    @property
    def bytes(self) -> int:
        """That are read and written anew."""
        return self.work.bytes if self.work else 0

    @property
    def has_work(self) -> bool:
        """Whether there is anything to do."""
        return self.work is not None and not self.work.is_empty

    @property
    def counts(self) -> bool:
        """Whether carrying it out is worth a row of the journal.

        A refusal is not asked for again before somebody wrote. A sweep for orphans that finds
        nothing has looked: its age is what the next one waits for.
        """
        return self.has_work or self.work is None or self.operation is Operation.ORPHANS


def plan(
    lake: Lakehouse,
    table: TableId,
    operation: Operation,
    *,
    now_ms: int,
    planners: Mapping[Operation, Planner] = PLANNERS,
) -> Planned:
    """What the operation would do now; changes nothing.

    Raises LakeError when the table cannot be read or its rules contradict each other.
    """
    pointer = existing_pointer(lake.catalog, table)
    policy = policy_at(lake, table, pointer, now_ms=now_ms)
    try:
        work = planners[operation](lake, table, policy, now_ms)
    except MaintenanceRefusedError as error:
        return Planned(table, operation, policy, pointer, None, error.what)
    return Planned(table, operation, policy, pointer, work)


def maintain(
    lake: Lakehouse,
    planned: Planned,
    *,
    run_id: str,
    on_bytes: Callable[[int], None] = lambda _: None,
    seen: Callable[[TableHealth, TableHealth], None] = lambda _before, _after: None,
    clock: Callable[[], int] = clock_ms,
) -> Attempt:
    """Carry out a plan; what became of it is kept in the journal, also when it failed.

    ``seen`` is told of the table as it was before, and as it is now; ``clock`` says how long it
    takes, in milliseconds, which is no longer than its policy allows.

    Raises:
        TransientError: somebody else maintains the table; nothing was begun, and no row is kept.
        LakeError: as the operation does, after its row was kept.
    """
    doing, limit = f"{planned.operation} of {planned.table}", TimeLimit(planned, clock)
    with alone(lake, planned.table, doing=doing) as guard:

        def both() -> None:
            limit.before_commit()
            guard()

        def group(size_bytes: int) -> None:
            on_bytes(size_bytes)
            limit.after_group(size_bytes)

        return _carried_out(lake, planned, Running(run_id, group, both), seen)


def _carried_out(
    lake: Lakehouse,
    planned: Planned,
    running: Running,
    seen: Callable[[TableHealth, TableHealth], None],
) -> Attempt:
    started_ms = clock_ms()
    before = measure_health(lake, planned.table, now_ms=started_ms)
    done, error = Done(Outcome.DONE), None
    memory = PeakMemory.begin()
    try:
        done = _done(lake, planned, running)
    except LakeError as raised:
        unknown = isinstance(raised, OutcomeUnknownError)
        done = Done(Outcome.UNKNOWN if unknown else Outcome.FAILED, raised.what)
        error = raised
    memory_bytes = memory.bytes()
    try:
        after = measure_health(lake, planned.table, now_ms=clock_ms())
    except LakeError as raised:
        after, error = None, error or raised  # what was done counts, also where nobody can look
    attempt = Attempt(
        table=str(planned.table),
        uuid=before.uuid,
        operation=planned.operation,
        outcome=done.outcome,
        started_at_ms=started_ms,
        finished_at_ms=clock_ms(),
        pointer=(after or before).pointer,
        run_id=running.run_id,
        problem=done.problem,
        before={**_figures(before), **_rewritten(planned)},
        after=_figures(after) if after else None,
        memory_bytes=memory_bytes,
        conflicts=done.conflicts,
    )
    keep(lake, attempt)
    if after:
        seen(before, after)
    if error is not None:
        raise error
    return attempt


def _done(lake: Lakehouse, planned: Planned, running: Running) -> Done:
    if planned.work is None:
        return Done(Outcome.REFUSED, planned.refused)
    if planned.work.is_empty:
        return Done(Outcome.NOTHING)
    # What an operation does beside the table, in its folder for temporary files, may fail as well.
    with verdicts(f"{planned.operation} of {planned.table}", hint="run it again"):
        return planned.work.carry_out(lake, planned.policy, running)


def _figures(health: TableHealth) -> dict[str, int]:
    return {
        "files": health.files,
        "bytes": health.bytes,
        "rows": health.rows,
        "small_files": health.small_files,
        "delete_files": health.delete_files,
        "manifests": health.manifests,
        "snapshots": health.snapshots,
        **({} if health.unheld_bytes is None else {"unheld_bytes": health.unheld_bytes}),
    }


def _rewritten(planned: Planned) -> dict[str, int]:
    """The hour's budget is spent on what is read and written anew."""
    return {"rewritten_bytes": planned.bytes} if planned.bytes else {}
