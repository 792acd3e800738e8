"""A process that kills backups at random moments, runs them again, and reports what was left.

Arguments: settings file, number of kills, seed. Prints a JSON list.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pyiceberg.io.pyarrow  # noqa: F401 - imported once, for all children

from dp_assets.lakehouse import opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.backing_up import back_up, wanted_by
from dp_assets.usecases.backup.repositories import open_for_writing
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child
from dp_assets_tests.usecases.backup.backups import append, check_repository, points_of, root_of

CHECKED_POINTS = 3


@dataclass(frozen=True, slots=True)
class Left:
    """Where a kill hit, and the points before it, after it, and after the next run."""

    where: str
    killed: bool
    before: int
    after: int
    again: int
    uploads: int


def committing(settings: Settings, first: int) -> Work:
    """Another commit, so that there is something to copy."""
    return lambda _moments: append(settings, first=first)


def backing_up(settings: Settings) -> Work:
    def work(moments: Moments) -> None:
        with opened(settings) as lake:
            repository = open_for_writing(settings)
            moments.first_write()
            back_up(lake, repository, wanted=wanted_by(settings), run_id="killed")

    return work


def checking(settings: Settings, report: Path) -> Work:
    """What holds after every kill; the numbers of the points go to ``report``."""

    def work(_moments: Moments) -> None:
        numbers = points_of(settings).numbers()
        check_repository(settings, newest=CHECKED_POINTS)
        uploads = [path for path in uploads_of(settings).glob("*") if path.is_file()]
        report.write_text(json.dumps([len(numbers), len(uploads)]))

    return work


def uploads_of(settings: Settings) -> Path:
    return root_of(settings) / "tmp"


def one_kill(settings: Settings, *, first: int, at: int, only_disk: bool, report: Path) -> Left:
    must_run(committing(settings, first))
    must_run(checking(settings, report))
    before, _ = json.loads(report.read_text())
    ended = run_child(backing_up(settings), kill_at=at, only_disk=only_disk)
    must_run(checking(settings, report))
    after, uploads = json.loads(report.read_text())
    must_run(backing_up(settings))
    must_run(checking(settings, report))
    again, _ = json.loads(report.read_text())
    return Left(ended.where, ended.killed, before, after, again, uploads)


def main(file: Path, count: int, seed: int) -> list[Left]:
    settings = load_settings(file, env={})
    report = file.with_name("report.json")
    must_run(backing_up(settings))
    moments: dict[bool, int] = {}
    for only_disk in (False, True):
        must_run(committing(settings, 900))
        moments[only_disk] = must_run(backing_up(settings), only_disk=only_disk).moments
    pick = random.Random(seed)  # noqa: S311 - no secret
    found: list[Left] = []
    for n in range(count):
        # Every other kill hits a call that touches the disk: most others only compute.
        only_disk = n % 2 == 1
        at = pick.randrange(1, moments[only_disk])
        first = 1000 + 10 * n
        found.append(one_kill(settings, first=first, at=at, only_disk=only_disk, report=report))
    return found


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in found]))
