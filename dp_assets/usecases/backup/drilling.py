"""A drill: a recovery point restored into a scratch folder, proven there, and removed again."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.core.units import now_ms
from dp_assets.domains.backup.proving import TableProof, not_restored
from dp_assets.domains.backup.reading import EVERYTHING, SAMPLE
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.ports.recovery import ProofRecord
from dp_assets.usecases.backup.drill_recording import failure_recorded, record_drill
from dp_assets.usecases.backup.drill_scratch import remove_leftovers, scratch_folder
from dp_assets.usecases.backup.proof_child import ProofJob
from dp_assets.usecases.backup.proof_jobs import prove_apart, write_jobs
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets.usecases.backup.source_proving import compare_with_sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.restore_plan import RestorePlan
    from dp_assets.ports.spool import Spool
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.restoring import Restored

LAKE = "lake"


@dataclass(frozen=True, slots=True)
class DrillWanted:
    """What to drill.

    Attributes:
        point: its number; None for the newest complete one.
        tables: globs; none for all. Such a drill says nothing about the point as a whole.
        everything: engines read every snapshot, not a sample.
        keep: leave the scratch folder behind.
        source: compare with the tables that the point was made of, where they are still there.
    """

    point: int | None = None
    tables: tuple[str, ...] = ()
    everything: bool = False
    keep: bool = False
    source: bool = True


@dataclass(frozen=True, slots=True)
class Drilled:
    """How a drill ended.

    Attributes:
        age_ms: between the cut of the point and the start of the drill.
        proof_seconds: after the restore; not part of the recovery time.
        recorded: the proof was written to the repository.
        scratch: the folder that was kept; "" when it was removed.
        warnings: what did not change the outcome.
    """

    record: ProofRecord
    proofs: tuple[TableProof, ...]
    seed: str
    age_ms: int
    proof_seconds: float = 0.0
    recorded: bool = False
    scratch: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of the progress."""

    on_plan: Callable[[RestorePlan], None] = lambda plan: None
    on_bytes: Callable[[int], None] = lambda size_bytes: None
    doing: Callable[[str], None] = lambda text: None
    restored: Callable[[Path], None] = lambda scratch: None


def drill(
    settings: Settings,
    repository: Repository,
    wanted: DrillWanted,
    *,
    run_id: str,
    spool: Spool | None,
    watch: Watch | None = None,
) -> Drilled:
    """Restore a point and prove it.

    A point that is not as recorded is an outcome, not an error. A restore that fails is an
    error, and a row as well.

    Args:
        settings: for the scratch folder, and for how a restore works.
        repository: opened with a key that fits.
        wanted: what to drill.
        run_id: of Dagster, or of the process.
        spool: gets the row for ``ops.recovery_points``; None to write none.
        watch: told of the progress.

    Raises:
        ConfigurationError: no such point or table, or no key that fits.
        PermanentError: the disk is full, or the drill itself broke; the point may be good.
        TransientError: the repository does not answer.
    """
    at_ms, started = now_ms(), time.monotonic()
    remove_leftovers(settings)
    with scratch_folder(settings, keep=wanted.keep) as scratch:
        tried = _tried(
            settings,
            repository,
            scratch,
            wanted=wanted,
            at_ms=at_ms,
            recording=lambda point: failure_recorded(
                point, at_ms=at_ms, run_id=run_id, spool=spool
            ),
            watch=watch or Watch(),
        )
    recorded, warnings = record_drill(
        repository, tried.record, some_tables=bool(wanted.tables), run_id=run_id, spool=spool
    )
    return replace(
        tried,
        proof_seconds=time.monotonic() - started - tried.record.seconds,
        recorded=recorded,
        warnings=(*tried.warnings, *warnings),
    )


def _tried(
    settings: Settings,
    repository: Repository,
    scratch: Path,
    *,
    wanted: DrillWanted,
    at_ms: int,
    recording: Callable[[int], AbstractContextManager[None]],
    watch: Watch,
) -> Drilled:
    """Restored and proven, not recorded yet; ``recording`` is for a restore that fails."""
    started = time.monotonic()
    target = find_target([str(scratch / LAKE)], settings)
    plan = plan_restore(repository, target, Wanted(point=wanted.point, tables=wanted.tables))
    seed = f"{plan.point}:{at_ms}"
    watch.on_plan(plan)
    with recording(plan.point):
        restored = restore(repository, target, plan, on_bytes=watch.on_bytes)
        seconds = time.monotonic() - started
        watch.restored(scratch)
        proofs, unread = _proofs(
            settings, repository, scratch, restored, wanted=wanted, seed=seed, watch=watch
        )
    record = ProofRecord(
        point=plan.point,
        at_ms=at_ms,
        scope=EVERYTHING if wanted.everything else SAMPLE,
        proven=bool(proofs) and all(proof.verdict.is_as_recorded for proof in proofs),
        tables={proof.table: proof.said for proof in proofs},
        seconds=seconds,
        bytes=sum(table.plan.bytes for table in restored.tables),
    )
    return Drilled(
        record=record,
        proofs=proofs,
        seed=seed,
        age_ms=max(0, at_ms - plan.cut_at_ms),
        scratch=str(scratch) if wanted.keep else "",
        warnings=unread,
    )


def _proofs(
    settings: Settings,
    repository: Repository,
    scratch: Path,
    restored: Restored,
    *,
    wanted: DrillWanted,
    seed: str,
    watch: Watch,
) -> tuple[tuple[TableProof, ...], tuple[str, ...]]:
    """One for every table that was asked for, by name; and warnings."""
    found = {one.table: not_restored(one.table, one.why) for one in restored.refused}
    plans = [table.plan for table in restored.tables]
    warnings: tuple[str, ...] = ()
    if plans:
        jobs = write_jobs(repository, scratch, plans)
        job = ProofJob(str(scratch), jobs, everything=wanted.everything, seed=seed)
        proved = prove_apart(scratch, job, doing=watch.doing)
        proofs = [one.proof for one in proved]
        if wanted.source:
            proofs, warnings = compare_with_sources(
                scratch,
                jobs,
                proved,
                properties=settings.catalog.plain_properties(),
                doing=watch.doing,
            )
        found |= {proof.table: proof for proof in proofs}
    return tuple(found[name] for name in sorted(found)), warnings
