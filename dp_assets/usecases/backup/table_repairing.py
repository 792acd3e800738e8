"""`dp repair`: lost files put back from the repository; for the rest, a choice that is a person's.

Nothing is ever deleted, and each step leaves the table no worse: killed anywhere, it is planned
(:mod:`dp_assets.usecases.backup.repair_planning`) and run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from dp_assets.adapters.iceberg_publish import publish
from dp_assets.adapters.iceberg_state import load_state
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_forget import stage_forgetting
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.fsck import Problem
from dp_assets.domains.lake.repairing import TableRepair
from dp_assets.ports.closure import one_spelling
from dp_assets.usecases.backup.copied_files import nobody_counts
from dp_assets.usecases.backup.putting_back import Hand, put_back
from dp_assets.usecases.backup.trash_files import Trash
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.rolling_back import planned_rollback, roll_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.adapters.iceberg_state import TableState
    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.lake_files import LakeFiles


def put_files_back(
    lake: Lakehouse,
    repository: Repository,
    plan: TableRepair,
    *,
    on_bytes: Callable[[int], None] = nobody_counts,
) -> None:
    """Carry out the part of ``plan`` that changes no table: bytes return to where they were.

    Raises:
        PermanentError: this is not certainly the lakehouse itself, the disk is full, or the
            repository has lost an object.
        TransientError: somebody holds the table.
    """
    doing = f"repair {plan.table}"
    lake.require_identity(doing)
    with kept_lease(lake, f"table/{plan.table}", doing=doing) as heartbeat:
        hand = Hand(
            repository=repository,
            files=lake.files,
            trash=Trash(lake.settings, table=str(plan.table), why="dp repair"),
            workers=lake.settings.backup.workers,
            guard=heartbeat.check_sometimes,
            on_bytes=on_bytes,
        )
        put_back(hand, plan.missing, plan.different)


def roll_table_back(lake: Lakehouse, plan: TableRepair) -> None:
    """The first way. Raises as :func:`forget_files`."""
    if plan.roll_back is None or plan.roll_back.target is None:
        raise PermanentError(
            f"{plan.table} cannot be rolled back: {_refusal(plan.roll_back)}",
            hint=f"'dp repair {plan.table} --dry-run' shows the ways there are",
        )
    rollback = planned_rollback(lake, str(plan.table), plan.roll_back.target)
    if rollback.head != plan.head:
        raise _moved(plan.table)
    roll_back(lake, rollback)


def forget_files(lake: Lakehouse, plan: TableRepair) -> None:
    """The second way: commit a snapshot without the lost files.

    Raises:
        PermanentError: it is refused, the table is foreign, or this is not the lakehouse itself.
        TransientError: somebody holds the table or committed to it; or a file came back.
        OutcomeUnknownError: the catalog broke off.
    """
    if plan.forget is None or plan.forget.refused:
        raise PermanentError(
            f"the lost files of {plan.table} cannot be forgotten: {_refusal(plan.forget)}",
            hint=f"'dp repair {plan.table} --dry-run' shows the ways there are",
        )
    doing = f"repair {plan.table}"
    lake.require_identity(doing)
    with (
        lake.lease(f"table/{plan.table}", doing=doing) as lease,
        verdicts(doing, hint="look at the table with 'dp table', then decide"),
    ):
        state = _state(lake, plan)
        _require_still_lost(lake.files, plan)
        lost = {one_spelling(path) for path in plan.forget.paths}
        staged = stage_forgetting(state, lost, now_ms=now_ms())
        publish(lake.catalog, plan.table, staged, before_swap=lambda: lake.leases.check(lease))


def _state(lake: Lakehouse, plan: TableRepair) -> TableState:
    pointer = existing_pointer(lake.catalog, plan.table)
    io = load_file_io(lake.catalog.properties, lake.catalog.properties.get("warehouse"))
    state = load_state(io, pointer)
    refuse_foreign(plan.table, state.raw.get("properties") or {})
    if state.raw.get("current-snapshot-id") != plan.head:
        raise _moved(plan.table)
    return state


def _require_still_lost(files: LakeFiles, plan: TableRepair) -> None:
    for finding in plan.left:
        if finding.problem is Problem.MISSING and files.stat(finding.path):
            raise TransientError(
                f"{finding.path} is back", hint="nothing was forgotten; run it again"
            )


def _moved(table: TableId) -> TransientError:
    return TransientError(
        f"{table} has another snapshot since this was planned", hint="run it again"
    )


def _refusal(way: object) -> str:
    return getattr(way, "refused", "") or "nothing that breaks its current snapshot is lost"
