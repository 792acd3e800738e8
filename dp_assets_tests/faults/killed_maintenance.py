"""A process that kills operations of maintenance, runs them again, and reports what was left.

Arguments: folder, number of random kills, seed, operations, by default all; 0: after every durable
step of each instead. Prints a JSON list. Rows at the head, at the tag and at every kept snapshot
are compared with those of before, by both engines, after the kill and after the same command again.
"""

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dp_assets.adapters.leases_polling import Revision
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.durable_steps import Steps
from dp_assets_tests.faults.forked_house import ForkedHouse
from dp_assets_tests.faults.forking import Ended, Moments, Work, must_run, run_child
from dp_assets_tests.faults.maintained_look import run
from dp_assets_tests.faults.surveying import Surveyor, surveyor


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left, and what there was after the same command.

    Attributes:
        again: how the same command ended after the kill; ``later`` how it ended once more.
        snapshots: of the table before the kill, after it, after the same command.
        unnamed: files that nothing names, after the kill and after everything.
    """

    operation: str
    where: str
    killed: bool
    again: str
    later: str
    snapshots: tuple[int, int, int]
    unnamed: tuple[int, int]
    leases: int


@dataclass(frozen=True, slots=True)
class Hit:
    """What is put back before each kill, and who looks at it afterwards."""

    house: ForkedHouse
    surveyor: Surveyor


def operating(settings: Settings, operation: Operation) -> Work:
    """The operation as `dp maintain` does it; its first write is the lease."""

    def work(moments: Moments) -> None:
        create = SqlLeases._create

        def first_write(leases: SqlLeases, revision: Revision) -> bool:
            moments.first_write()
            return create(leases, revision)

        SqlLeases._create = first_write
        with opened(settings) as lake:
            run(lake, operation)

    return work


def stopping(settings: Settings, operation: Operation, *, after: int, count: Path) -> Work:
    """The operation, killed right after that many durable steps; their names go to ``count``."""

    def work(moments: Moments) -> None:
        def kill() -> None:
            count.write_text(json.dumps(steps.names))
            moments.killed_here()

        steps = Steps(after=after, then=kill)
        with opened(settings) as lake:
            steps.begin()
            run(lake, operation)
        steps.end()
        count.write_text(json.dumps(steps.names))

    return work


def one_kill(hit: Hit, operation: Operation, kill: Callable[[], Ended], where: str = "") -> Left:
    hit.house.put_back()
    ended = kill()
    if ended.status > 0:
        raise RuntimeError("the operation stopped by itself; its traceback is above")
    found = hit.surveyor.found(operation)
    return Left(str(operation), where or ended.where, ended.killed, **found)


def at_every_step(hit: Hit, operations: Sequence[Operation]) -> list[Left]:
    found: list[Left] = []
    house, count = hit.house, hit.house.folder / "steps.json"
    for operation in operations:
        house.put_back()
        must_run(stopping(house.settings, operation, after=0, count=count))
        steps: list[str] = json.loads(count.read_text())
        found += [
            one_kill(
                hit,
                operation,
                lambda n=n, operation=operation: run_child(
                    stopping(house.settings, operation, after=n, count=count)
                ),
                where=f"after step {n} of {len(steps)}, {name}",
            )
            for n, name in enumerate(steps, start=1)
        ]
    return found


def at_random(
    hit: Hit, operations: Sequence[Operation], *, count: int, chance: random.Random
) -> list[Left]:
    """``count`` kills, two of three at the disk; the operations in turn."""
    moments: dict[tuple[Operation, bool], int] = {}
    found: list[Left] = []
    house = hit.house
    for n in range(count):
        operation, only_disk = operations[n % len(operations)], bool(n % 3)
        if (operation, only_disk) not in moments:
            house.put_back()
            counted = must_run(operating(house.settings, operation), only_disk=only_disk)
            moments[operation, only_disk] = counted.moments
        at = chance.randint(1, moments[operation, only_disk])
        found.append(
            one_kill(
                hit,
                operation,
                lambda operation=operation, at=at, only_disk=only_disk: run_child(
                    operating(house.settings, operation), kill_at=at, only_disk=only_disk
                ),
            )
        )
    return found


def main(folder: Path, count: int, seed: int, operations: Sequence[Operation]) -> Sequence[Left]:
    house = ForkedHouse.build(folder)
    with surveyor(house) as asked:
        hit = Hit(house, asked)
        if not count:
            return at_every_step(hit, operations)
        chance = random.Random(seed)  # noqa: S311 - no secret
        return at_random(hit, operations, count=count, chance=chance)


if __name__ == "__main__":
    asked = [Operation(name) for name in sys.argv[4:]] or list(PLANNERS)
    done = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), asked)
    sys.stdout.write(json.dumps([asdict(left) for left in done]))
