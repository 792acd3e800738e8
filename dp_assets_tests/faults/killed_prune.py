"""A process that kills prunes and verifications at random moments and reports what was left.

Arguments: settings file, number of kills, seed. Prints a JSON list.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pyiceberg.io.pyarrow  # noqa: F401 - imported once, for all children

from dp_assets.adapters.lease_owner import owner_text
from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.core.units import HOUR_MS, now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.retention import Rules
from dp_assets.domains.backup.verification import Share
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.pruning import Pruning, prune
from dp_assets.usecases.backup.repositories import leases_of, open_for_reading
from dp_assets.usecases.backup.verifying import Verification, verify
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child
from dp_assets_tests.usecases.backup.backups import append, backup

# Nothing but the newest point stays, so that each round has something to delete.
NEWEST = Rules(daily=0, weekly=0, monthly=0, min_proven=0)


@dataclass(frozen=True, slots=True)
class Left:
    """Where a kill hit, and what was damaged or left over after the next run."""

    what: str
    where: str
    killed: bool
    damaged: tuple[str, ...]
    superfluous: int
    foreign: tuple[str, ...]


def another_point(settings: Settings, first: int) -> Work:
    def work(_moments: Moments) -> None:
        append(settings, first=first)
        backup(settings)

    return work


def pruning(settings: Settings) -> Work:
    """Twice, the second time with a clock that is ahead: what is condemned is deleted."""

    def work(moments: Moments) -> None:
        repository = open_for_reading(settings)
        leases = leases_of(repository.store)
        asked = Pruning(NEWEST, owner=owner_text("killed"), lease_ms=60_000)
        moments.first_write()
        prune(repository, leases, asked, now_ms=now_ms)
        age_lists(settings)
        prune(repository, leases, asked, now_ms=now_ms)

    return work


def age_lists(settings: Settings) -> None:
    """Make the condemned lists three hours older."""
    from dp_assets.domains.backup.documents import checked
    from dp_assets.domains.backup.prune import Condemned, condemned_lists

    repository = open_for_reading(settings)
    for one in condemned_lists(repository):
        older = Condemned(one.number, one.at_ms - 3 * HOUR_MS, one.names)
        key = layout.numbered_key(layout.CONDEMNED, one.number)
        repository.store.put(key, checked(older))


def verifying(settings: Settings) -> Work:
    def work(moments: Moments) -> None:
        repository = open_for_reading(settings)
        repository_id = repository.description.repository_id
        index = SqliteRepositoryIndex(
            settings.indexes_dir / "killed.db", repository_id=repository_id
        )
        damage_a_copy(settings)
        moments.first_write()
        verify(repository, index, Verification(Share(now_ms(), 30, full=True)))
        index.close()

    return work


def damage_a_copy(settings: Settings) -> None:
    """Something to mend, so that there is something to kill."""
    repository = open_for_reading(settings)
    newest = max(
        at[0]
        for info in repository.store.list(layout.POINTS)
        if (at := layout.point_of(info.key)) and at[1] == layout.RECORD
    )
    repository.store.put(layout.point_key(newest, layout.RECORD_COPY), b"damaged")


def checking(settings: Settings, report: Path) -> Work:
    def work(_moments: Moments) -> None:
        repository = open_for_reading(settings)
        index = SqliteRepositoryIndex(None, repository_id=repository.description.repository_id)
        found = verify(repository, index, Verification(Share(now_ms(), 30, full=True)))
        damaged = [damage.key for damage in found.damages if not damage.mended]
        report.write_text(json.dumps([damaged, found.superfluous, found.foreign]))

    return work


def one_kill(
    settings: Settings, what: str, *, first: int, at: int, only_disk: bool, report: Path
) -> Left:
    killed_work = {"prune": pruning, "verify": verifying}[what]
    must_run(another_point(settings, first))
    ended = run_child(killed_work(settings), kill_at=at, only_disk=only_disk)
    must_run(checking(settings, report))
    damaged, _, foreign = json.loads(report.read_text())
    must_run(pruning(settings))
    must_run(checking(settings, report))
    again, superfluous, _ = json.loads(report.read_text())
    return Left(what, ended.where, ended.killed, (*damaged, *again), superfluous, tuple(foreign))


def main(file: Path, count: int, seed: int) -> list[Left]:
    settings = load_settings(file, env={})
    report = file.with_name("report.json")
    must_run(another_point(settings, 100))
    moments: dict[tuple[str, bool], int] = {}
    for what, work in (("prune", pruning), ("verify", verifying)):
        for only_disk in (False, True):
            must_run(another_point(settings, 200))
            done = must_run(work(settings), only_disk=only_disk)
            moments[what, only_disk] = done.moments
    pick = random.Random(seed)  # noqa: S311 - no secret
    found: list[Left] = []
    for n in range(count):
        what, only_disk = ("prune", "verify")[n % 2], n % 4 < 2
        at = pick.randrange(1, moments[what, only_disk])
        found.append(
            one_kill(settings, what, first=1000 + 10 * n, at=at, only_disk=only_disk, report=report)
        )
    return found


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps([asdict(left) for left in found]))
