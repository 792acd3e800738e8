"""A table's life: made, worked on by two processes for some rounds, checked, and tidied up."""

import json
import random
import re
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Self

from pyiceberg.schema import Schema
from pyiceberg.types import IntegerType, LongType, NestedField, StringType

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.faults.model_checks import Checks
from dp_assets_tests.faults.model_process import LATE_MS, NAME, maintained
from dp_assets_tests.faults.model_rounds import Chance, learn
from dp_assets_tests.faults.model_rows import Model
from dp_assets_tests.faults.model_writes import Said

ROUNDS = (8, 12, 20)
VERSIONS = (2, 3, 2, 3, 1, 3)  # 3: upgraded after some rounds; one of two episodes
SHOWN = 40  # orders before a failure
NUMBERS = re.compile(r"file:///\S+|\d+")
WHY = 150  # characters of a reason
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "part", StringType(), required=False),
    NestedField(3, "note", StringType(), required=False),
    NestedField(4, "count", IntegerType(), required=False),
)
SETTINGS = """
catalog:
  uri: sqlite:///{state}/catalog.db?timeout=30
leases:
  wait_seconds: 5
"""


@dataclass
class Worker:
    """A process of its own that carries out orders."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, log: Path) -> Self:
        with log.open("a") as errors:
            return cls(
                subprocess.Popen(
                    [sys.executable, "-m", "dp_assets_tests.faults.model_process"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    cwd=Path(__file__).parents[2],
                )
            )

    def ask(self, settings: Settings, orders: list[Said]) -> None:
        assert self.process.stdin
        line = json.dumps({"settings": str(settings.path), "orders": orders})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> list[Said]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "a process ended by itself; its traceback is in the log"
        return json.loads(line)


@contextmanager
def two_workers(folder: Path) -> Generator[tuple[Worker, Worker], None, None]:
    workers = Worker.start(folder / "first.log"), Worker.start(folder / "second.log")
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.communicate()


@dataclass
class Tally:
    """How often each order ended how, and the reasons that were given."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    whys: Counter[str] = field(default_factory=Counter[str])
    rounds: int = 0
    episodes: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN))

    def count(self, order: Said, said: Said) -> None:
        answer = {key: value for key, value in said.items() if key != "rows"}
        self.last.append(f"round {self.rounds}: {order} -> {answer}")
        self.ends[order.get("operation") or order["do"], said["did"]] += 1
        if said.get("why"):
            why = NUMBERS.sub("N", said["why"].replace("\n", " "))
            self.whys[f"{said['did']}: {why[:WHY]}"] += 1


def make(settings: Settings, *, version: int, keep: int) -> None:
    """The table; an expiry keeps ``keep`` snapshots, however old they are."""
    initialise(settings, origin="test")
    with opened(settings) as lake:
        lake.catalog.create_namespace_if_not_exists(NAME.namespace)
        properties = {
            "format-version": str(version),
            "dp.adopted": "true",
            "commit.retry.num-retries": "0",
            "dp.maintenance.expiry.keep_days": "0",
            "dp.maintenance.expiry.keep_snapshots": str(keep),
        }
        lake.catalog.create_table(NAME.identifier, SCHEMA, properties=properties)


def live(
    folder: Path,
    seed: str,
    workers: tuple[Worker, Worker],
    tally: Tally,
    *,
    go_on: Callable[[], bool],
) -> None:
    """One episode. Raises AssertionError when something is not as the model says."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    folder.mkdir()
    settings = settings_in(folder, SETTINGS)
    version, rounds = version_of(seed), chance.choice(ROUNDS)
    make(settings, version=min(version, 2), keep=chance.randint(1, 6))
    with opened(settings) as lake, lake.reader() as reader:
        checks, model, choices = Checks(lake, reader, NAME), Model(), Chance(chance, version)
        for _ in takewhile(lambda _: go_on(), range(rounds)):
            one_round(settings, workers, choices, model, tally)
            checks.check(model)
            tally.rounds += 1
        tidy_up(lake, tally)
        named = checks.check(model)
        checks.check_unchanged(named)
        assert checks.leftovers(named) == set()
        assert lake.leases.held() == ()
    tally.episodes += 1


def version_of(seed: str) -> int:
    """Episodes take turns, from any of them on: a short test has deletes of both kinds."""
    base, _, nth = seed.rpartition("-")
    first = random.Random(base).randrange(len(VERSIONS))  # noqa: S311 - no secret
    return VERSIONS[(first + int(nth)) % len(VERSIONS)]


def one_round(
    settings: Settings,
    workers: tuple[Worker, Worker],
    choices: Chance,
    model: Model,
    tally: Tally,
) -> None:
    chosen = choices.round(model)
    for worker, orders in zip(workers, chosen.orders, strict=True):
        worker.ask(settings, orders)
    for worker, orders in zip(workers, chosen.orders, strict=True):
        for order, said in zip(orders, worker.answer(), strict=True):
            tally.count(order, said)
            assert said["did"] not in ("failed", "unknown"), (order, said)
            learn(model, order, said, ordered=chosen.ordered)


def tidy_up(lake: Lakehouse, tally: Tally) -> None:
    """Nobody else is there: every operation succeeds or says exactly why not.

    The second sweep takes the metadata files that records in the trash were made at: they stay as
    long as those do.
    """
    for operation in (*PLANNERS, Operation.ORPHANS):
        order: Said = {"do": "maintain", "operation": str(operation)}
        said = maintained(lake, operation, at_ms=now_ms() + 10 * DAY_MS)
        tally.count({**order, "operation": f"{operation} at the end"}, said)
        assert said["did"] == "done" or said["did"].startswith(("nothing", "refused")), said
        if operation is Operation.ORPHANS:
            empty_trash(lake, now_ms=now_ms() + LATE_MS)
