"""Committing a compaction: judged against a fresh head at each attempt, and proven afterwards.

What is committed is decided anew whenever another writer was first. A group that another writer
made impossible is dropped, its new files are deleted, and the others commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.core.guards import unguarded
from dp_assets.core.units import now_ms
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.compaction import CompactionPlan, RewrittenGroup
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.maintenance.commit_attempts import CommitAttempts, Committed
from dp_assets.usecases.maintenance.publishing import Surroundings

if TYPE_CHECKING:
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.lake_files import LakeFiles


def commit_compaction(
    lake: Lakehouse,
    plan: CompactionPlan,
    rewritten: Sequence[RewrittenGroup],
    *,
    files: LakeFiles,
    run_id: str,
    known: ParsedFiles | None = None,
    guard: Callable[[], None] = unguarded,
    failpoint: Callable[[str], None] = no_failpoint,
) -> Committed:
    """Commit groups of a plan under the table's lease.

    The same call again, after its outcome was unknown, recognises what has landed.

    Args:
        lake: where the table is.
        plan: what the groups were planned by.
        rewritten: groups of it, their new files durable.
        files: the table's files.
        run_id: of the run, for the snapshot's summary.
        known: lists and manifests of the table read before; those read now are added.
        guard: the word of who holds the operation, asked right before the pointer moves.
        failpoint: called after each durable step.

    Raises:
        PermanentError: the table is foreign; the commit was wrong and is rolled back; or this is
            not certainly the lakehouse itself.
        TransientError: somebody holds the table, or was first too often.
        OutcomeUnknownError: the catalog broke off; or the commit is wrong and others built on it.
    """
    doing = f"compaction of {plan.table}"
    lake.require_identity(doing)
    with kept_lease(lake, f"table/{plan.table}", doing=doing) as beat:

        def both() -> None:
            guard()
            beat.check()

        around = Surroundings(
            catalog=lake.catalog,
            io=load_file_io(lake.catalog.properties, lake.catalog.properties.get("warehouse")),
            files=files,
            guard=both,
            now_ms=now_ms,
            failpoint=failpoint,
        )
        return CommitAttempts(around, plan, rewritten, run_id, known or ParsedFiles()).run()
