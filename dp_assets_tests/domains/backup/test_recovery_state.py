"""What the recovery page judges by."""

from dataclasses import replace

import pytest

from dp_assets.domains.backup.recovery_state import (
    PointSeen,
    ProofSeen,
    RecoveryState,
    ReplicaSeen,
    estimate_restore,
    newest_proofs,
    not_covered,
)
from dp_assets.ports.recovery import ProofRecord

POINT = PointSeen(7, cut_at_ms=0, age_ms=60_000, tables=1, bytes=100, complete=True)
GOOD = RecoveryState(
    repository="/r",
    at_ms=0,
    points=1,
    newest=POINT,
    proven=POINT,
    proof=ProofSeen(7, at_ms=0, age_ms=1000, scope="sample", seconds=5, bytes=100),
    restore_seconds=5,
    rpo_ms=60_000,
    rto_ms=5_000,
    max_unproven_ms=1000,
    incomplete=(),
    not_covered=(),
    replica=None,
    dump=None,
    warnings=(),
)


def proof(at_ms: int, *, proven: bool, point: int = 7, **tables: str) -> ProofRecord:
    return ProofRecord(point, at_ms, "sample", proven, tables, seconds=10, bytes=1000)


def test_everything_at_its_limit_is_good() -> None:
    assert GOOD.is_good


@pytest.mark.parametrize(
    "worse",
    [
        {"newest": None},
        {"newest": replace(POINT, age_ms=60_001)},
        {"restore_seconds": None},
        {"restore_seconds": 5.001},
        {"proof": None},
        {"max_unproven_ms": 999},
        {"replica": ReplicaSeen("/r2", 1, lag_ms=2, max_lag_ms=1)},
        {"replica": ReplicaSeen("/r2", 0, lag_ms=0, max_lag_ms=1, problem="no answer")},
    ],
)
def test_one_broken_promise_is_not_good(worse: dict[str, object]) -> None:
    assert not replace(GOOD, **worse).is_good


def test_a_later_failure_takes_a_proof_back() -> None:
    drills = [proof(2, proven=False), proof(1, proven=True), proof(1, proven=True, point=6)]
    assert {n: p.proven for n, p in newest_proofs(drills).items()} == {7: False, 6: True}


@pytest.mark.parametrize(("size", "seconds"), [(500, 10), (1000, 10), (3000, 30)])
def test_a_restore_takes_as_long_as_measured_or_longer(size: int, seconds: float) -> None:
    assert estimate_restore(proof(1, proven=True), size) == seconds


def test_without_a_drill_nobody_knows() -> None:
    assert estimate_restore(None, 1) is None


def test_what_engines_could_not_read_is_not_covered() -> None:
    drilled = proof(
        1,
        proven=True,
        a="proven",
        b="proven by one engine",
        c="restored, not proven by reading",
        d="not restored; it can be restored to its own paths only",
    )
    assert [one.table for one in not_covered(None, drilled, ["x"])] == ["c", "d"]
