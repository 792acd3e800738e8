"""What the report says about recovery, looked at now; whatever stands in the way is said there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.core.errors import LakeError
from dp_assets.core.units import format_seconds
from dp_assets.ports.report_recovery import PointLine, ProofLine, Recovery, Uncovered
from dp_assets.usecases.backup.recovery_page import recovery_state
from dp_assets.usecases.backup.repositories import open_for_reading

if TYPE_CHECKING:
    from dp_assets.domains.backup.recovery_state import (
        DumpSeen,
        PointSeen,
        ProofSeen,
        RecoveryState,
        ReplicaSeen,
    )
    from dp_assets.settings import Settings

RESTORES = {True: "restores", False: "does not restore", None: "never tried"}


def look_at_recovery(settings: Settings, *, now_ms: int) -> Recovery:
    """The state of recovery; a repository that is missing or silent is a sentence, no error."""
    try:
        state = recovery_state(settings, open_for_reading(settings), now_ms=now_ms)
    except LakeError as error:
        return Recovery(missing=f"{error.what}: {error.hint}" if error.hint else error.what)
    return _recovery(state)


def _recovery(state: RecoveryState) -> Recovery:
    return Recovery(
        missing="",
        repository=state.repository,
        points=state.points,
        newest=_point(state.newest),
        proven=_point(state.proven),
        proof=_proof(state.proof),
        restore_seconds=state.restore_seconds,
        rpo_ms=state.rpo_ms,
        rto_ms=state.rto_ms,
        max_unproven_ms=state.max_unproven_ms,
        incomplete=state.incomplete,
        not_covered=tuple(Uncovered(one.table, one.why) for one in state.not_covered),
        dump=_dump(state.dump),
        replica=_replica(state.replica),
        notes=state.warnings,
    )


def _point(point: PointSeen | None) -> PointLine | None:
    if point is None:
        return None
    return PointLine(
        number=point.number,
        cut_at_ms=point.cut_at_ms,
        age_ms=point.age_ms,
        tables=point.tables,
        bytes=point.bytes,
    )


def _proof(proof: ProofSeen | None) -> ProofLine | None:
    if proof is None:
        return None
    return ProofLine(
        at_ms=proof.at_ms, age_ms=proof.age_ms, scope=proof.scope, seconds=proof.seconds
    )


def _dump(dump: DumpSeen | None) -> str:
    if dump is None:
        return "none yet"
    return f"{dump.name}, {format_seconds(dump.age_ms / 1000)} old, {RESTORES[dump.restores]}"


def _replica(replica: ReplicaSeen | None) -> str:
    if replica is None:
        return "none configured"
    if replica.problem:
        return f"{replica.address}: {replica.problem}"
    limit = format_seconds(replica.max_lag_ms / 1000)
    lag = f"{format_seconds(replica.lag_ms / 1000)} behind, {limit} are allowed"
    return f"{replica.address}, {lag}"
