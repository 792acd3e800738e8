"""A process that kills operations of maintenance, runs them again, and reports what was left.

Arguments: folder, number of random kills, seed; 0: after every durable step of every operation
instead. Prints a JSON list. Rows at the head, at the tag and at every kept snapshot are compared
with those of before, by both engines, after the kill and after the same command again.
"""

import json
import os
import random
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from dp_assets.adapters.leases_polling import Revision
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.adapters.table_checks import check_files, path_of
from dp_assets_tests.faults.forking import Ended, Moments, Work, must_run, run_child
from dp_assets_tests.faults.maintained_table import AFTER_DAYS, prepare
from dp_assets_tests.faults.model_episode import SETTINGS
from dp_assets_tests.faults.model_process import LATE_MS, NAME, maintained
from dp_assets_tests.usecases.backup.readings import by_pyiceberg, fingerprint

# What is called when something becomes durable or visible: of the system, and of SQLite.
DURABLE = frozenset({"fsync", "replace", "rename", "link", "unlink"})
COMMIT = "commit"
DO_NOT_FORK = ("__main__", "polars")  # what must not be imported before a fork


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
class Seen:
    """A table: what each engine reads by name of a state, snapshots, unnamed files, leases."""

    read: list[dict[str, str]]
    snapshots: int
    unnamed: int
    leases: int


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


def run(lake: Lakehouse, operation: Operation) -> str:
    return maintained(lake, operation, at_ms=now_ms() + AFTER_DAYS * DAY_MS)["did"]


def is_durable(called: Any) -> bool:
    of_system = getattr(called, "__module__", "") == os.name
    return called.__name__ == COMMIT or (of_system and called.__name__ in DURABLE)


def stopping(settings: Settings, operation: Operation, *, after: int, count: Path) -> Work:
    """The operation, killed right after that many durable steps; their names go to ``count``."""

    def work(moments: Moments) -> None:
        seen: list[str] = []

        def step(frame: FrameType, event: str, argument: object) -> None:
            if event == "c_return" and is_durable(argument):
                seen.append(f"{argument.__name__} in {frame.f_code.co_name}")  # pyright: ignore[reportAttributeAccessIssue]
                if len(seen) == after:
                    count.write_text(json.dumps(seen))
                    moments.killed_here()

        with opened(settings) as lake:
            threading.setprofile(step)
            sys.setprofile(step)
            run(lake, operation)
        sys.setprofile(None)
        count.write_text(json.dumps(seen))

    return work


def look(lake: Lakehouse) -> Seen:
    """What both engines read; no file that is named is missing."""
    pointer = existing_pointer(lake.catalog, NAME)
    table = lake.catalog.load_table(NAME.identifier)
    named = check_files(table)
    files = {path for path in path_of(table.location()).rglob("*") if path.is_file()}
    with lake.reader() as reader:
        at = {"current": None, "ref kept": table.refs()["kept"].snapshot_id}
        by_duckdb = {
            name: fingerprint(reader.rows(f"FROM {reader.scan(NAME, snapshot_id=one)}", about=NAME))
            for name, one in at.items()
        }
    read = [by_pyiceberg(pointer), by_duckdb]
    leases = len(lake.leases.held())
    return Seen(read, len(table.snapshots()), len(files - named), leases)


def looking(settings: Settings, report: Path) -> Work:
    """How the table is before any kill, and what modules all of this needs."""

    def work(_: Moments) -> None:
        with opened(settings) as lake:
            seen = look(lake)
            for operation in PLANNERS:
                run(lake, operation)
        report.write_text(json.dumps([asdict(seen), sorted(sys.modules)]))

    return work


def surveying(settings: Settings, operation: Operation, before: Seen, report: Path) -> Work:
    """What a kill left, the same command again and once more, and everything when it is old."""

    def work(_: Moments) -> None:
        with opened(settings) as lake:
            killed = compared(look(lake), before)
            again = run(lake, operation)
            after = compared(look(lake), before)
            later = run(lake, operation)
            for every in PLANNERS:
                run(lake, every)
            empty_trash(lake, now_ms=now_ms() + LATE_MS + AFTER_DAYS * DAY_MS)
            last = compared(look(lake), before)
        found = {
            "again": again,
            "later": later,
            "snapshots": (before.snapshots, killed.snapshots, after.snapshots),
            "unnamed": (killed.unnamed, last.unnamed),
            "leases": after.leases,
        }
        report.write_text(json.dumps(found))

    return work


def compared(seen: Seen, before: Seen) -> Seen:
    """Everything that can still be asked for has the answer that it had."""
    for now, was in zip(seen.read, before.read, strict=True):
        assert now["current"] == was["current"]
        assert {name: was[name] for name in now if name in was}.items() <= now.items()
    return seen


@dataclass(frozen=True)
class House:
    """A lakehouse in ``folder/lake``, put back from ``folder/prepared`` before every kill."""

    folder: Path
    settings: Settings
    before: Seen

    @classmethod
    def build(cls, folder: Path) -> "House":
        (folder / "lake").mkdir()
        settings, report = settings_in(folder / "lake", SETTINGS), folder / "report.json"
        must_run(prepare(settings))
        shutil.copytree(folder / "lake", folder / "prepared")
        must_run(looking(settings, report))
        seen, modules = json.loads(report.read_text())
        for name in modules:
            if not name.startswith(DO_NOT_FORK):
                with suppress(ImportError):
                    import_module(name)  # late imports would be those of every child
        return cls(folder, settings, Seen(**seen))

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / "prepared", self.folder / "lake")

    def one_kill(self, operation: Operation, kill: Callable[[], Ended], where: str = "") -> Left:
        self.put_back()
        ended, report = kill(), self.folder / "report.json"
        if ended.status > 0:
            raise RuntimeError("the operation stopped by itself; its traceback is above")
        must_run(surveying(self.settings, operation, self.before, report))
        found: dict[str, Any] = json.loads(report.read_text())
        return Left(str(operation), where or ended.where, ended.killed, **found)


def at_every_step(house: House) -> list[Left]:
    found: list[Left] = []
    count = house.folder / "steps.json"
    for operation in PLANNERS:
        house.put_back()
        must_run(stopping(house.settings, operation, after=0, count=count))
        steps: list[str] = json.loads(count.read_text())
        found += [
            house.one_kill(
                operation,
                lambda n=n, operation=operation: run_child(
                    stopping(house.settings, operation, after=n, count=count)
                ),
                where=f"after step {n} of {len(steps)}, {name}",
            )
            for n, name in enumerate(steps, start=1)
        ]
    return found


def at_random(house: House, *, count: int, chance: random.Random) -> list[Left]:
    """``count`` kills, two of three at the disk; the operations in turn."""
    moments: dict[tuple[Operation, bool], int] = {}
    found: list[Left] = []
    operations = list(PLANNERS)
    for n in range(count):
        operation, only_disk = operations[n % len(operations)], bool(n % 3)
        if (operation, only_disk) not in moments:
            house.put_back()
            counted = must_run(operating(house.settings, operation), only_disk=only_disk)
            moments[operation, only_disk] = counted.moments
        at = chance.randint(1, moments[operation, only_disk])
        found.append(
            house.one_kill(
                operation,
                lambda operation=operation, at=at, only_disk=only_disk: run_child(
                    operating(house.settings, operation), kill_at=at, only_disk=only_disk
                ),
            )
        )
    return found


def main(folder: Path, count: int, seed: int) -> Sequence[Left]:
    house = House.build(folder)
    if not count:
        return at_every_step(house)
    return at_random(house, count=count, chance=random.Random(seed))  # noqa: S311 - no secret


if __name__ == "__main__":
    done = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in done]))
