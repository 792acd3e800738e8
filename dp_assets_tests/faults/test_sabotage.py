"""The prover proven: whatever is wrong with a restored copy, the drill says so and names it."""

from collections.abc import Generator

import pytest

from dp_assets.domains.backup.proving import Verdict
from dp_assets_tests.faults.sabotage import (
    Restored,
    Stage,
    build_stage,
    is_caught,
    miscounted,
)
from dp_assets_tests.faults.sabotages import SABOTAGES, Sabotage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return build_stage(tmp_path_factory.mktemp("sabotage"))


@pytest.fixture(scope="module")
def restored(stage: Stage) -> Generator[Restored, None, None]:
    with stage.restored() as found:
        yield found


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda one: one.what)
def test_every_sabotage_is_caught_and_named(restored: Restored, sabotage: Sabotage) -> None:
    with restored.as_it_was(sabotage.table) as copy:
        sabotage.act(copy)
        proof = restored.prove(sabotage.table)
    assert is_caught(sabotage, proof), proof
    if sabotage.miscounted is not None:
        assert miscounted(proof) == set(sabotage.miscounted), proof


@pytest.mark.parametrize("table", sorted({one.table for one in SABOTAGES}))
def test_a_copy_that_nobody_touched_is_proven(restored: Restored, table: str) -> None:
    proof = restored.prove(table)
    expected = Verdict.ONE_ENGINE if table == "zoo.equality" else Verdict.PROVEN
    assert (proof.verdict, proof.differences) == (expected, ())
    assert proof.snapshots_read == proof.snapshots_point


def test_a_drill_with_a_sabotaged_copy_proves_nothing_and_leaves_nothing(stage: Stage) -> None:
    sabotage = SABOTAGES[0]
    before = set(stage.settings.tmp_dir.iterdir())
    done = stage.drill(sabotage.table, sabotage.act)
    assert not done.record.proven
    assert is_caught(sabotage, done.proofs[0])
    assert set(stage.settings.tmp_dir.iterdir()) == before
