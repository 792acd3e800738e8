"""A process that kills repairs at random moments, runs them again, and reports what was left.

Arguments: settings file, number of kills, seed. Prints a JSON list.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb  # noqa: F401 - imported once, for all children
import pyiceberg.io.pyarrow  # noqa: F401

from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.repair_planning import plan_table_repair
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.table_repairing import forget_files, put_files_back
from dp_assets_tests.adapters.real_lakehouse import ORDERS
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child
from dp_assets_tests.usecases.backup.backups import append
from dp_assets_tests.usecases.backup.damage import (
    files_of,
    first_data_file,
    flip,
    hashes,
    ids,
    plan,
    warehouse,
)


@dataclass(frozen=True, slots=True)
class Left:
    """Where a kill hit; the rows after the next run, and files of before that differ then."""

    where: str
    killed: bool
    rows: int
    differing: tuple[str, ...]
    is_repaired: bool


def damaging(settings: Settings, first: int) -> Work:
    """A commit that no point holds loses its file; of the others one is lost, one altered."""

    def work(_moments: Moments) -> None:
        before = set(files_of(settings, FileKind.DATA))
        append(settings, first=first)
        (new,) = set(files_of(settings, FileKind.DATA)) - before
        lost = first_data_file(settings)
        altered = next(path for path in sorted(before - {lost}) if path.exists())
        lost.unlink()
        flip(altered, 10)
        new.unlink()

    return work


def repairing(settings: Settings) -> Work:
    """All of `dp repair --forget`, of what there still is to do."""

    def work(moments: Moments) -> None:
        with opened(settings) as lake:
            repository = open_for_reading(settings)
            planned = plan_table_repair(lake, repository, str(ORDERS))
            moments.first_write()
            put_files_back(lake, repository, planned)
            if planned.needs_choice:
                forget_files(lake, planned)

    return work


def judging(settings: Settings, known: dict[Path, str], report: Path) -> Work:
    """What must be so after the second run."""

    def work(_moments: Moments) -> None:
        now, planned = hashes(warehouse(settings)), plan(settings)
        differing = [str(path) for path, sha in known.items() if now.get(path) != sha]
        repaired = not planned.needs_choice and not planned.puts_back
        report.write_text(json.dumps([len(ids(settings)), differing, repaired]))

    return work


def one_kill(settings: Settings, *, first: int, at: int, report: Path) -> Left:
    known = hashes(warehouse(settings))
    must_run(damaging(settings, first))
    ended = run_child(repairing(settings), kill_at=at, only_disk=True)
    must_run(repairing(settings))
    must_run(judging(settings, known, report))
    rows, differing, repaired = json.loads(report.read_text())
    return Left(ended.where, ended.killed, rows, tuple(differing), repaired)


def main(file: Path, count: int, seed: int) -> list[Left]:
    settings = load_settings(file, env={})
    report = file.with_name("report.json")
    must_run(damaging(settings, 900))
    must_run(repairing(settings))  # the first of all has a little more to do
    must_run(damaging(settings, 910))
    moments = must_run(repairing(settings), only_disk=True).moments
    pick = random.Random(seed)  # noqa: S311 - no secret
    return [
        one_kill(settings, first=1000 + 10 * n, at=pick.randrange(1, moments), report=report)
        for n in range(count)
    ]


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in found]))
