"""A process that kills writers of three days, runs them again, and reports what was left.

Arguments: folder, number of random kills (0: every durable step instead), seed. Prints a JSON list.
"""

import datetime as dt
import json
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
from pyiceberg.utils.concurrent import ExecutorFactory

from dp_assets.adapters.fingerprint import fingerprint
from dp_assets.adapters.leases_polling import Revision
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.ports.tables import RunMark
from dp_assets_tests.adapters.orders import (
    MONDAY,
    ORDERS,
    TUESDAY,
    WEDNESDAY,
    Lake,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    check_files,
    check_totals,
    path_of,
)
from dp_assets_tests.faults.forking import Ended, Moments, Work, must_run, run_child

DAYS = (MONDAY, TUESDAY, WEDNESDAY)
THURSDAY = "2013-01-10"
Step = tuple[str, int]  # a durable step of a commit, and its how manieth time
STEPS = ("files-written", "metadata-written", "committed")
IDS = {day: list(range(10 * n, 10 * n + 5)) for n, day in enumerate((*DAYS, THURSDAY), start=1)}
OLD, NEW = "old", "new"
# Rows, surviving rows, manifest, manifest list, metadata: what one unfinished commit may leave.
LEFT_BY_A_COMMIT = 5


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left, as the next run found it, and what there was after that run."""

    where: str
    killed: bool
    days_landed: int
    same_run: bool
    leftovers: int
    snapshots: int
    content: str


class WatchedLeases(SqlLeases):
    """Taking the lease is the first thing a writer writes."""

    moments: Moments

    def _create(self, revision: Revision) -> bool:
        self.moments.first_write()
        return super()._create(revision)


def prepare(folder: Path) -> None:
    """Four days with old rows, in one file as a compaction leaves them."""
    lake = Lake(folder)
    lake.put(MONDAY, [])
    lake.table().append(pa.concat_tables([orders(day, ids, note=OLD) for day, ids in IDS.items()]))
    lake.close()


def writing(
    folder: Path, run: RunMark, *, stop_at: Step | None = None, watched: bool = True
) -> Work:
    """Replace three days with new rows, and end at ``stop_at``; ``watched`` it may be killed."""

    def work(moments: Moments) -> None:
        lake = Lake(folder)
        reached: list[str] = []

        def failpoint(step: str) -> None:
            reached.append(step)
            if stop_at == (step, reached.count(step)):
                moments.killed_here()

        writer = lake.writer(failpoint=failpoint)
        if watched:
            writer._leases.__class__ = WatchedLeases
            writer._leases.moments = moments  # pyright: ignore[reportAttributeAccessIssue]
        writer.ensure(ORDERS)
        with writer.hold(ORDERS.table):
            for day in DAYS:
                writer.replace(ORDERS, orders(day, IDS[day]), partition=day, run=run)

    return work


def landed_days(lake: Lake) -> int:
    """How many days have their new rows; raises unless each day is wholly old or wholly new."""
    rows = lake.rows()
    found = {day: [(n, note) for d, n, note in rows if d == day] for day in map(date, IDS)}
    news = [found[date(day)] == [(n, NEW) for n in IDS[day]] for day in DAYS]
    for day, is_new in zip(DAYS, news, strict=True):
        assert is_new or found[date(day)] == [(n, OLD) for n in IDS[day]]
    assert found[date(THURSDAY)] == [(n, OLD) for n in IDS[THURSDAY]]
    assert news == sorted(news, reverse=True)
    return news.count(True)


def date(day: str) -> dt.date:
    return dt.date.fromisoformat(day)


def content(lake: Lake) -> str:
    """A hash of all rows in order."""
    rows = lake.table().scan().to_arrow().sort_by([("day", "ascending"), ("id", "ascending")])
    return fingerprint(rows.combine_chunks())


def leftovers(lake: Lake) -> int:
    """Files in the warehouse that nothing names."""
    named = {path_of(str(path)) for path in check_files(lake.table())}
    return len({p for p in lake.warehouse.rglob("*") if p.is_file()} - named)


def again(folder: Path, ended: Ended, *, run: RunMark, first: RunMark, report: Path) -> Work:
    """Look at what was left, run the same command once more, and write down what there is then."""

    def work(moments: Moments) -> None:
        lake = Lake(folder)
        landed = landed_days(lake)
        writing(folder, run, watched=False)(moments)
        assert landed_days(lake) == len(DAYS)
        check_totals(lake.table())
        assert lake.leases.held() == ()
        left = Left(
            where=ended.where,
            killed=ended.killed,
            days_landed=landed,
            same_run=run.root_run_id == first.root_run_id,
            leftovers=leftovers(lake),
            snapshots=len(lake.table().snapshots()) - 2,
            content=content(lake),
        )
        report.write_text(json.dumps(asdict(left)))

    return work


def one_kill(folder: Path, *, same_run: bool, stop_at: Step | None = None, **when: int) -> Left:
    """Kill at ``stop_at``, or at the moment ``kill_at`` (see ``run_child``)."""
    lake, report = folder / "lake", folder / "report.json"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(folder / "prepared", lake)
    first = RunMark("root-1", "run-1")
    ended = run_child(writing(lake, first, stop_at=stop_at), **when)  # pyright: ignore[reportArgumentType]
    if ended.status > 0:
        raise RuntimeError("the writer stopped by itself; its traceback is above")
    run = RunMark("root-1" if same_run else "root-2", "run-2")
    must_run(again(lake, ended, run=run, first=first, report=report))
    return Left(**json.loads(report.read_text()))


def warm_up(folder: Path) -> None:
    """Do everything once in this process: what is imported late would be imported by every child.

    Its threads are idle afterwards, and PyIceberg and PyArrow make new pools in a child.
    """
    folder.mkdir()
    prepare(folder)
    with Lake(folder) as lake:
        lake.put(MONDAY, [1])
        lake.rows()
    ExecutorFactory.get_or_create().shutdown()


def kills(folder: Path, *, count: int, seed: int) -> Sequence[Left]:
    """``count`` random kills, every second one at the disk; with 0 one at every durable step."""
    chance = random.Random(seed)  # noqa: S311 - chooses moments, no secret
    lake = folder / "lake"
    lake.mkdir()
    must_run(lambda _: prepare(lake))
    warm_up(folder / "warm")
    shutil.copytree(lake, folder / "prepared")
    if not count:
        steps = [(step, nth) for nth in range(1, len(DAYS) + 1) for step in STEPS]
        return [one_kill(folder, stop_at=stop, same_run=stop[1] != 2) for stop in steps]
    moments = [
        must_run(writing(lake, RunMark(f"root-{n}", "run-0")), only_disk=bool(n)).moments
        for n in range(2)
    ]
    return [
        one_kill(
            folder,
            same_run=chance.random() < 1 / 2,
            kill_at=chance.randint(1, moments[n % 2]),
            only_disk=n % 2,
        )
        for n in range(count)
    ]


if __name__ == "__main__":
    found = kills(Path(sys.argv[1]), count=int(sys.argv[2]), seed=int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in found]))
