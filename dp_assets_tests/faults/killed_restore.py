"""A process that kills restores, finishes them with `--resume`, and reports what was left.

Arguments: folder, number of random kills, seed. Prints a JSON list.
"""

import json
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pyiceberg.utils.concurrent import ExecutorFactory

from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.usecases.backup.restore_journal import RestoreJournal
from dp_assets.usecases.backup.restoring import begun_restore, restore
from dp_assets_tests.faults.forking import Ended, Moments, Work, must_run, run_child
from dp_assets_tests.usecases.backup.shops import (
    Shop,
    make_shop,
    rows_in,
    table_files,
    tables_in,
)


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left, as the next run found it, and how it ended.

    Attributes:
        visible: tables in the catalog after the kill, each of them whole.
        resumed: there was a journal to go on from.
        temporary: files in the warehouse at the end that no table names.
    """

    where: str
    killed: bool
    visible: int
    resumed: bool
    temporary: int


def restoring(shop: Shop) -> Work:
    def work(moments: Moments) -> None:
        target = shop.target()
        plan = shop.plan(target)
        moments.first_write()
        restore(shop.repository, target, plan)

    return work


def finishing(shop: Shop, ended: Ended, report: Path) -> Work:
    """Look at what was left, finish it as a person would, and write down what there is then."""

    def work(moments: Moments) -> None:
        del moments
        target = shop.target()
        visible = tables_in(target)
        seen = rows_in(target) if visible else {}
        assert seen == {name: shop.rows[name] for name in seen}
        begun = RestoreJournal(target).read()
        if begun:
            plan = begun_restore(shop.repository, target, Wanted())
            restore(shop.repository, target, plan, resume=True)
        elif not visible:
            shop.restore(target)
        assert rows_in(target) == shop.rows
        temporary = [p for p in table_files(target) if p.name.endswith(".tmp")]
        left = Left(ended.where, ended.killed, len(visible), bool(begun), len(temporary))
        report.write_text(json.dumps(asdict(left)))

    return work


def one_kill(shop: Shop, report: Path, *, kill_at: int, only_disk: bool) -> Left:
    shutil.rmtree(shop.folder / "new", ignore_errors=True)
    ended = run_child(restoring(shop), kill_at=kill_at, only_disk=only_disk)
    if ended.status > 0:
        raise RuntimeError("the restore stopped by itself; its traceback is above")
    must_run(finishing(shop, ended, report))
    return Left(**json.loads(report.read_text()))


def kills(folder: Path, *, count: int, seed: int) -> Sequence[Left]:
    """``count`` random kills, every second one at the disk."""
    chance = random.Random(seed)  # noqa: S311 - chooses moments, no secret
    shop, report = make_shop(folder / "shop"), folder / "report.json"
    warm = shop.target("warm")
    shop.restore(warm)  # what is imported late would be imported by every child
    rows_in(warm)
    ExecutorFactory.get_or_create().shutdown()
    moments: list[int] = []
    for only_disk in (False, True):
        moments.append(must_run(restoring(shop), only_disk=only_disk).moments)
        shutil.rmtree(shop.folder / "new")
    return [
        one_kill(shop, report, kill_at=chance.randint(1, moments[n % 2]), only_disk=bool(n % 2))
        for n in range(count)
    ]


if __name__ == "__main__":
    found = kills(Path(sys.argv[1]), count=int(sys.argv[2]), seed=int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in found]))
