"""What is kept of a drill: its outcome in the repository, and a row for ``ops.recovery_points``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.core.errors import LakeError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.records import RECOVERY_POINTS, failed_row, proof_row
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.ports.recovery import ProofRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.spool import Spool


@contextmanager
def failure_recorded(
    point: int, *, at_ms: int, run_id: str, spool: Spool | None
) -> Generator[None, None, None]:
    """A drill that fails inside comes to no verdict; a row about it waits in the spool."""
    try:
        yield
    except (LakeError, OSError) as error:
        if spool is not None:
            row = failed_row(
                started_at_ms=at_ms,
                finished_at_ms=now_ms(),
                problem=error.what if isinstance(error, LakeError) else str(error),
                run_id=run_id,
                drilled=point,
            )
            quietly("record the drill", lambda: spool.add(RECOVERY_POINTS.table, [row]))
        raise


def record_drill(
    repository: Repository,
    record: ProofRecord,
    *,
    some_tables: bool,
    run_id: str,
    spool: Spool | None,
) -> tuple[bool, tuple[str, ...]]:
    """Whether the outcome is kept in the repository, and warnings.

    Args:
        repository: of the point.
        record: the outcome.
        some_tables: not all were asked for; these being proven proves no point.
        run_id: of Dagster, or of the process.
        spool: gets the row; None to write none.
    """
    if some_tables and record.proven:
        return False, ()
    warnings: list[str] = []
    try:
        key = layout.proof_key(record.point, record.at_ms)
        recorded = repository.store.create(key, checked(public(record, repository)))
    except LakeError as error:
        recorded = False
        warnings.append(f"the proof could not be kept in the repository: {error.what}")
    if spool is not None:
        row = proof_row(record, run_id=run_id)
        told = quietly("record the drill", lambda: spool.add(RECOVERY_POINTS.table, [row]))
        warnings += [told] if told else []
    return recorded, tuple(warnings)


def public(record: ProofRecord, repository: Repository) -> ProofRecord:
    """As it is kept: a proof is read without a key, so in a sealed repository it names nothing."""
    if not repository.description.encrypted:
        return record
    verdicts = [said.partition(";")[0] for said in record.tables.values()]
    tables: Mapping[str, str] = {f"table {n}": v for n, v in enumerate(verdicts, start=1)}
    return ProofRecord(
        record.point,
        record.at_ms,
        record.scope,
        record.proven,
        tables,
        record.seconds,
        record.bytes,
    )
