"""A process that kills expiries and emptyings after each durable step, and reports what was left.

Argument: an empty folder. Prints a JSON list.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.closure import one_spelling
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance import record_emptying
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child
from dp_assets_tests.usecases.maintenance.expiries import (
    check_whole,
    closure_of,
    files_below,
    lakehouse,
    metadata_of,
    pointer_of,
    run_expiry,
    snapshots_of,
)

Step = tuple[str, int]  # a durable step, and its how manieth time
EXPIRY = (("recorded", 1), ("metadata-written", 1), ("committed", 1), ("closed", 1))
EMPTYING = (("marked", 1), ("deleted", 1), ("deleted", 4))
LATE_MS = 30 * DAY_MS
BATCH_FILES = 5


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left, and what there was after the same command and an emptying.

    Attributes:
        snapshots: of the table, after the kill.
        states: of the trash's records, after the kill.
        again: snapshots after the same command, and the states of the records then.
        unnamed: files after everything that nothing names, besides older metadata files.
        records: in the trash after everything.
    """

    step: str
    killed: bool
    snapshots: int
    states: tuple[str, ...]
    again: int
    states_again: tuple[str, ...]
    unnamed: int
    records: int


def until(moments: Moments, stop_at: Step):
    """A failpoint that kills this process at ``stop_at``."""
    reached: list[str] = []

    def failpoint(step: str) -> None:
        reached.append(step)
        if stop_at == (step, reached.count(step)):
            moments.killed_here()

    return failpoint


def expiring(settings: Settings, stop_at: Step = ("", 0)) -> Work:
    def work(moments: Moments) -> None:
        with opened(settings) as lake:
            run_expiry(lake, failpoint=until(moments, stop_at))

    return work


def emptying_it(settings: Settings, stop_at: Step = ("", 0)) -> Work:
    def work(moments: Moments) -> None:
        with opened(settings) as lake:
            empty_trash(lake, now_ms=now_ms() + LATE_MS, failpoint=until(moments, stop_at))

    return work


def looking(settings: Settings, report: Path) -> Work:
    """Every kept snapshot reads all of its files, and the rows are those of before."""

    def work(_moments: Moments) -> None:
        with opened(settings) as lake:
            check_whole(pointer_of(lake))
            rows = lake.catalog.load_table("shop.things").scan().to_arrow()["id"].to_pylist()
            assert sorted(rows) == [50, 51, 52, 53, 54]
            tagged = lake.catalog.load_table("shop.things").scan().use_ref("first").to_arrow()
            assert sorted(tagged["id"].to_pylist()) == [0, 1, 2, 3, 4]
            states = [str(record.state) for record in open_trash(lake).all()]
            found = (len(snapshots_of(lake)), states, unnamed(lake))
        report.write_text(json.dumps(found))

    return work


def unnamed(lake: Lakehouse) -> int:
    named = {one_spelling(file.path) for file in closure_of(pointer_of(lake)).files}
    named |= {one_spelling(e["metadata-file"]) for e in metadata_of(lake)["metadata-log"]}
    return len({str(path) for path in files_below(lake)} - named)


def one_kill(settings: Settings, work: Work, again: Work, *, step: Step, report: Path) -> Left:
    ended = run_child(work)
    must_run(looking(settings, report))
    snapshots, states, _ = json.loads(report.read_text())
    must_run(again)
    must_run(looking(settings, report))
    after, states_again, _ = json.loads(report.read_text())
    must_run(emptying_it(settings))
    must_run(looking(settings, report))
    _, left, files = json.loads(report.read_text())
    return Left(
        step=f"{step[0]} {step[1]}",
        killed=ended.killed,
        snapshots=snapshots,
        states=tuple(states),
        again=after,
        states_again=tuple(states_again),
        unnamed=files,
        records=len(left),
    )


def main(folder: Path) -> list[Left]:
    record_emptying.BATCH_FILES = BATCH_FILES
    prepared = PreparedLake.make(folder, lakehouse)
    settings, report = prepared.settings, folder / "report.json"
    found: list[Left] = []
    for step in (*EXPIRY, *EMPTYING):
        prepared.put_back()
        if step in EXPIRY:
            work, again = expiring(settings, step), expiring(settings)
        else:
            must_run(expiring(settings))
            work, again = emptying_it(settings, step), emptying_it(settings)
        found.append(one_kill(settings, work, again, step=step, report=report))
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(left) for left in main(Path(sys.argv[1]))]))
