"""Compaction of one table: planned at one pointer, each group rewritten, proven and committed.

Every group is a commit of its own: what has landed stays, whatever becomes of the next one.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from dp_assets.adapters.local_files import local_path, make_folders
from dp_assets.adapters.maintenance.duckdb_rewrite import rewriter
from dp_assets.adapters.maintenance.group_rewriting import RewriteSettings
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.garbage import no_garbage_collection
from dp_assets.core.guards import unguarded
from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.compaction import CompactionRule, plan_compaction
from dp_assets.domains.maintenance.row_group_rule import TAKE_OVER
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.committing import commit_compaction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dp_assets.adapters.maintenance.group_rewriting import GroupRewriter
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.conflicts import DroppedGroup
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import TableClosure
    from dp_assets.ports.compaction import CompactionPlan, Group, RewrittenGroup

# Of the memory of an operation: imports take 200 MB and the proof 70 more, measured at 400.
DUCKDB_SHARE = 0.32
THREADS = 2


@dataclass(frozen=True, slots=True)
class PlannedCompaction:
    """A plan and the table that it was made from.

    Attributes:
        known: lists and manifests that were read for it; commits need not read them again.
    """

    plan: CompactionPlan
    closure: TableClosure
    known: ParsedFiles = field(default_factory=ParsedFiles)


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes:
        groups: that are committed.
        dropped: that another writer made impossible, each with the reason.
    """

    groups: tuple[RewrittenGroup, ...]
    dropped: tuple[DroppedGroup, ...]


def planned_compaction(lake: Lakehouse, table: TableId, rule: CompactionRule) -> PlannedCompaction:
    """What a compaction would do now; changes nothing.

    Raises:
        CompactionRefusedError: nothing of the table can be compacted exactly.
        PermanentError: there is no such table, or it cannot be read.
    """
    pointer = existing_pointer(lake.catalog, table)
    known = ParsedFiles()
    # An object for every file, and they are kept: a third of the time of planning 10,000 files.
    with no_garbage_collection():
        closure = read_closure(lake.files, pointer, history=History.CURRENT, known=known)
        free = free_bytes(closure.location)
        plan = plan_compaction(str(table), closure, rule=rule, free_bytes=free)
    return PlannedCompaction(plan, closure, known)


def compact(
    lake: Lakehouse,
    planned: PlannedCompaction,
    *,
    memory_bytes: int,
    run_id: str,
    on_group: Callable[[Group], None],
    guard: Callable[[], None] = unguarded,
    is_proven: bool = True,
) -> Compacted:
    """Carry out every group of the plan, the worst first.

    Args:
        lake: with an identity.
        planned: by :func:`planned_compaction`.
        memory_bytes: of the whole process, about.
        run_id: for the snapshots' summaries.
        on_group: told of every group that is done or dropped.
        guard: of who may maintain the table, asked right before every commit.
        is_proven: False only to measure what the proof of the content costs.

    Raises:
        LakeError: a group failed; those before it are committed.
    """
    plan = planned.plan
    groups: list[RewrittenGroup] = []
    dropped: list[DroppedGroup] = []
    with _rewriting(lake, planned, memory_bytes=memory_bytes, is_proven=is_proven) as work:
        for group in plan.groups:
            done = commit_compaction(
                lake,
                plan,
                [work.rewrite(group)],
                files=lake.files,
                run_id=run_id,
                known=planned.known,
                guard=guard,
            )
            groups += done.groups
            dropped += done.dropped
            on_group(group)
    return Compacted(tuple(groups), tuple(dropped))


@contextmanager
def _rewriting(
    lake: Lakehouse, planned: PlannedCompaction, *, memory_bytes: int, is_proven: bool
) -> Generator[GroupRewriter, None, None]:
    """Rewrites groups, with a staging folder that is gone afterwards."""
    make_folders(lake.settings.tmp_dir)
    staging = Path(tempfile.mkdtemp(prefix="dp-compaction-", dir=lake.settings.tmp_dir))
    remote = local_path(planned.closure.location) is None
    settings = RewriteSettings(
        memory_limit=f"{round(memory_bytes * DUCKDB_SHARE / MIB)}MiB",
        threads=THREADS,
        staging=staging,
        s3=lake.settings.catalog.plain_properties() if remote else None,
        take_over=TAKE_OVER,
        is_proven=is_proven,
    )
    io = load_file_io(lake.catalog.properties, planned.closure.location)
    try:
        with rewriter(
            planned.plan, planned.closure, files=lake.files, io=io, settings=settings
        ) as work:
            yield work
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def free_bytes(location: str) -> int | None:
    """On the disk of a local table; None for a bucket."""
    path = local_path(location)
    return None if path is None else shutil.disk_usage(path).free
