"""A process that hangs operations of maintenance until others have done their work, and reports.

Arguments: folder, and one of :data:`CASES`, stopped after each of its durable steps, or "few": some
of them after one step. Prints a JSON list. While an operation is stopped, another process whose
clock says an hour more appends rows, does the same operation to its end and deletes a row; then the
first goes on. Rows are compared with what must be there by then, at the head and at the tag, by
both engines; every file by its hash.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dp_assets.lakehouse import opened
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.durable_steps import BEFORE_SWAP
from dp_assets_tests.faults.forked_house import ForkedHouse
from dp_assets_tests.faults.forking import Moments, Work, must_run
from dp_assets_tests.faults.hung_case import EMPTY, Case, Found
from dp_assets_tests.faults.hung_process import stopped
from dp_assets_tests.faults.maintained_look import run

RESTORED = "restored"
CASES = (
    *(*map(str, PLANNERS), EMPTY),
    *(f"expiry {RESTORED}", f"{EMPTY} {RESTORED}"),  # by the other process, out of the trash
)
# The last question before a pointer moves, the first deletion, the commit.
FEW = {"compaction": BEFORE_SWAP, f"{EMPTY} {RESTORED}": "unlink", f"expiry {RESTORED}": "commit"}


@dataclass(frozen=True, slots=True)
class Left:
    """What an operation did that was stopped for an hour, and what was there then.

    Attributes:
        held: its leases that expired meanwhile.
        committed: whether its commit had landed before it was stopped.
        said: how it ended: ``done``, ``nothing`` or its error.
        rival: how the other process ended.
        moved: whether it moved the pointer after it went on.
        undone: files that it changed or deleted then, but for those that it had made itself and
            nothing named.
        again: how the same operation ended once more.
        unnamed: files after everything that nothing names.
        leases: held when everybody had ended.
    """

    where: str
    held: int
    committed: bool
    said: str
    rival: str
    moved: bool
    undone: Sequence[str]
    again: str
    unnamed: int
    leases: int


@dataclass
class Hanging:
    """Cases on one table, put back before each; a trash is filled once."""

    house: ForkedHouse
    _begin: Found = field(default_factory=dict[str, Any])

    def case(self, name: str) -> Case:
        operation, _, restored = name.partition(" ")
        return Case(self.house.settings, operation, restored == RESTORED, self.house.report)

    def put_back(self, case: Case) -> None:
        full = self.house.folder / "full"
        if case.operation == EMPTY and full.exists():
            shutil.rmtree(self.house.folder / "lake")
            shutil.copytree(full, self.house.folder / "lake")
            return
        self.house.put_back()
        if case.operation == EMPTY:
            must_run(_filling(self.house.settings))
            shutil.copytree(self.house.folder / "lake", full)

    def steps(self, case: Case) -> list[str]:
        """The names of all durable steps of the operation when nobody disturbs it."""
        self.put_back(case)
        must_run(case.beginning())
        self._begin = case.told()
        must_run(case.hanging(after=0))
        return case.told()["steps"]

    def hang(self, case: Case, *, after: int, where: str) -> Left:
        self.put_back(case)
        before = self._files()
        hung = stopped(case.hanging(after=after))
        own = self._files() - before
        must_run(case.meanwhile(self._begin))
        there = case.told()
        if hung.go_on():
            raise RuntimeError("the operation ended by itself; its traceback is above")
        said = case.told()["said"]
        must_run(case.judging(there, own=own))
        kept = {name: there[name] for name in ("held", "committed", "rival")}
        return Left(where, said=said, **kept, **case.told())

    def _files(self) -> set[str]:
        lake = self.house.folder / "lake"
        return {str(path) for path in lake.rglob("*") if path.is_file()}


def _filling(settings: Settings) -> Work:
    """Everything that has work does it: then there is something in the trash."""

    def work(_: Moments) -> None:
        with opened(settings) as lake:
            for operation in PLANNERS:
                run(lake, operation)

    return work


def main(folder: Path, wanted: str) -> Iterator[Left]:
    hanging = Hanging(ForkedHouse.build(folder))
    for name, only in FEW.items() if wanted == "few" else [(wanted, "")]:
        case = hanging.case(name)
        steps = hanging.steps(case)
        swapped = steps.index(BEFORE_SWAP) if only == "commit" else 0
        chosen = [n for n, step in enumerate(steps) if n >= swapped and step.startswith(only)]
        for n in chosen[:1] if only else chosen:
            where = f"{name} after step {n + 1} of {len(steps)}, {steps[n]}"
            yield hanging.hang(case, after=n + 1, where=where)


if __name__ == "__main__":
    done = main(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write(json.dumps([asdict(left) for left in done]))
