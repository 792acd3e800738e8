"""A child that looks at what each fault has left; its engines are started once."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.forked_house import ForkedHouse
from dp_assets_tests.faults.forking import Moments, in_child
from dp_assets_tests.faults.maintained_look import Looker, Seen, compared, run
from dp_assets_tests.faults.maintained_table import AFTER_DAYS
from dp_assets_tests.faults.model_process import LATE_MS

Found = dict[str, Any]


@dataclass(frozen=True)
class Surveyor:
    """Asked after each fault, when the process that was hit has ended."""

    orders: TextIO
    answers: TextIO

    def found(self, operation: Operation) -> Found:
        """See :func:`survey`."""
        self.orders.write(f"{operation}\n")
        self.orders.flush()
        line = self.answers.readline()
        if not line:
            raise RuntimeError("something is not as it was; the traceback is above")
        return json.loads(line)


@contextmanager
def surveyor(house: ForkedHouse) -> Generator[Surveyor, None, None]:
    """A surveyor of the house, whatever is put back there."""
    orders, to_child = os.pipe()
    from_child, answers = os.pipe()

    def work(_: Moments) -> None:
        os.close(to_child)
        os.close(from_child)
        with os.fdopen(orders) as asked, os.fdopen(answers, "w") as said:
            _serve(house, asked, said)

    child = in_child(work)
    os.close(orders)
    os.close(answers)
    with os.fdopen(to_child, "w") as asking, os.fdopen(from_child) as told:
        yield Surveyor(asking, told)
    os.waitpid(child, 0)


def survey(looker: Looker, operation: Operation, before: Seen) -> Found:
    """What a kill left, the same command again and once more, and everything when it is old.

    Raises AssertionError when anything that is kept does not have the rows that it had.
    """
    lake = looker.lake
    killed = compared(looker.look(), before)
    again = run(lake, operation)
    after = compared(looker.look(), before)
    later = run(lake, operation)
    for every in PLANNERS:
        run(lake, every)
    empty_trash(lake, now_ms=now_ms() + LATE_MS + AFTER_DAYS * DAY_MS)
    last = compared(looker.look(), before)
    return {
        "again": again,
        "later": later,
        "snapshots": (before.snapshots, killed.snapshots, after.snapshots),
        "unnamed": (killed.unnamed, last.unnamed),
        "leases": after.leases,
    }


def _serve(house: ForkedHouse, asked: TextIO, said: TextIO) -> None:
    """Each line: an operation; the answer to it: what was found."""
    now: list[Lakehouse] = []
    with (
        opened(house.settings) as any_lake,
        any_lake.reader(lambda table: existing_pointer(now[-1].catalog, table)) as reader,
    ):
        for line in asked:
            with opened(house.settings) as lake:
                now.append(lake)
                found = survey(Looker(lake, reader), Operation(line.strip()), house.before)
            now.clear()
            said.write(json.dumps(found) + "\n")
            said.flush()
