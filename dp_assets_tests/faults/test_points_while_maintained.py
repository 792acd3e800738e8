"""Recovery points of a table that two processes write and maintain: every one proves (FAULTS 22).

A proof is a drill: the point is restored, both engines read every snapshot of it, and what they
read is compared with what was recorded, and with the table where its files are still there.
"""

import random
from pathlib import Path

import pytest

from dp_assets.core.units import now_ms
from dp_assets.settings import Settings
from dp_assets.usecases.backup.drilling import DrillWanted, drill
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.adapters.real_lakehouse import pointer_of, settings_in
from dp_assets_tests.faults.killing import seed, times
from dp_assets_tests.faults.model_episode import SETTINGS, make, two_workers
from dp_assets_tests.faults.model_process import NAME
from dp_assets_tests.faults.model_rounds import Chance
from dp_assets_tests.faults.model_writes import Said
from dp_assets_tests.usecases.backup.backups import backup

POINTS = times(3, soak=20)
MAINTAINING: list[Said] = [{"do": "maintain", "operation": str(one)} for one in PLANNERS]
ROWS_A_POINT = 60


def writing(chance: Chance, first: int) -> list[Said]:
    """Appends, deletes of some of the rows, and a compaction in between."""
    appends: list[Said] = [
        {"do": "append", "ids": list(range(at, at + 10)), "part": "a", "stamp": at}
        for at in range(first, first + ROWS_A_POINT, 10)
    ]
    gone = chance.random.sample(range(first, first + ROWS_A_POINT), 8)
    compaction: Said = {"do": "maintain", "operation": "compaction"}
    deletes: list[Said] = [
        {"do": "delete_positions", "ids": gone[:4]},
        {"do": "delete", "ids": gone[4:]},
    ]
    return [*appends[:3], compaction, *appends[3:], *deletes, compaction]


def removing(chance: Chance) -> list[Said]:
    """Everything that takes files away, again and again."""
    orders: list[Said] = [*MAINTAINING, {"do": "empty"}, *MAINTAINING, {"do": "empty"}]
    chance.random.shuffle(orders)
    return orders


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_point_proves(tmp_path: Path):
    chance = Chance(random.Random(seed()), version=2)  # noqa: S311 - no secret
    settings = settings_in(tmp_path, SETTINGS)
    make(settings, version=2, keep=2)
    init_repository(settings, keys=None, now_ms=now_ms())
    moved = 0
    with two_workers(tmp_path) as workers:
        for n in range(POINTS):
            orders = (writing(chance, n * ROWS_A_POINT), removing(chance))
            for worker, asked in zip(workers, orders, strict=True):
                worker.ask(settings, asked)
            moved += point_is_proven(settings)
            for worker in workers:
                said = worker.answer()
                assert not [one for one in said if one["did"] in ("failed", "unknown")], said
    print(f"{moved} of {POINTS} points: the table moved while they were made")  # noqa: T201
    assert moved


def point_is_proven(settings: Settings) -> bool:
    """Whether the table moved while the point was made."""
    before = pointer_of(settings, NAME)
    outcome = backup(settings)
    moved = pointer_of(settings, NAME) != before
    assert outcome.record.complete
    wanted = DrillWanted(point=outcome.record.number, everything=True)
    done = drill(settings, open_for_reading(settings), wanted, run_id="test", spool=None)
    assert done.record.proven, [proof.said for proof in done.proofs]
    return moved
