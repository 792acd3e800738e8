"""One operation that hangs, the other process meanwhile, and the look at what is there then."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dp_assets.core.errors import LakeError
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets_tests.faults.durable_steps import Steps
from dp_assets_tests.faults.forking import Moments, Work
from dp_assets_tests.faults.hung_look import Rows, by_id, hashes, needed, pointer_of, rows_of
from dp_assets_tests.faults.hung_process import an_hour_later, hang
from dp_assets_tests.faults.maintained_look import Looker, looking_at, run
from dp_assets_tests.faults.maintained_table import AFTER_DAYS
from dp_assets_tests.faults.model_deletes import delete_positions
from dp_assets_tests.faults.model_process import LATE_MS, NAME, maintained
from dp_assets_tests.faults.model_writes import WRITES

EMPTY = "empty"  # the trash
NEW, GONE = [200, 201], [21]  # rows that are written and deleted meanwhile
Found = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """An operation, and whether the other process also takes everything out of the trash.

    Attributes:
        report: where each child writes what it found.
    """

    settings: Settings
    operation: str
    restored: bool
    report: Path

    def told(self) -> Found:
        """What the last child found."""
        return json.loads(self.report.read_text())

    def tell(self, **found: object) -> None:
        self.report.write_text(json.dumps(found))

    def hanging(self, *, after: int) -> Work:
        """The operation, stopped right after that many durable steps; 0: never."""

        def work(_: Moments) -> None:
            steps = Steps(after=after, then=hang)
            with opened(self.settings) as lake:
                steps.begin()
                said = self._said(lake)
                steps.end()
            self.tell(said=said, steps=steps.names)

        return work

    def beginning(self) -> Work:
        """How the table is before anybody does anything."""

        def work(_: Moments) -> None:
            with looking_at(self.settings) as looker:
                head, tag = rows_of(looker)
                self.tell(pointer=pointer_of(looker.lake), head=head, tag=tag)

        return work

    def meanwhile(self, begin: Found) -> Work:
        """The other process: an append, the same operation, a delete."""

        def work(_: Moments) -> None:
            with opened(self.settings) as lake:
                held, committed = len(lake.leases.held()), pointer_of(lake) != begin["pointer"]
            an_hour_later()
            with opened(self.settings) as lake:
                new = _append(lake)
                rival = self._restored(lake) if self.restored else self._said(lake)
                delete_positions(lake.catalog.load_table(NAME.identifier), {"ids": GONE})
                self.tell(
                    held=held,
                    committed=committed,
                    rival=rival,
                    pointer=pointer_of(lake),
                    head=by_id([row for row in begin["head"] if row["id"] not in GONE] + new),
                    tag=begin["tag"],
                    files=hashes(lake),
                    needed=sorted(needed(lake)),
                )

        return work

    def judging(self, there: Found, *, own: Collection[str]) -> Work:
        """What the operation did after it went on; ``own`` are files that it had made before.

        Raises AssertionError when a row is not as it must be.
        """

        def work(_: Moments) -> None:
            an_hour_later()
            with looking_at(self.settings) as looker:
                lake = looker.lake
                moved, now = pointer_of(lake) != there["pointer"], hashes(lake)
                may_go = set(own) - set(there["needed"])
                undone = [
                    path
                    for path, was in there["files"].items()
                    if now.get(path) != was and path not in may_go
                ]
                assert rows_of(looker) == (there["head"], there["tag"])
                leases, again = len(lake.leases.held()), self._said(lake)
                assert rows_of(looker) == (there["head"], there["tag"])
                unnamed = 0 if self.restored else tidied(looker)
                assert rows_of(looker) == (there["head"], there["tag"])
            self.tell(moved=moved, undone=undone, again=again, unnamed=unnamed, leases=leases)

        return work

    def _said(self, lake: Lakehouse) -> str:
        """The operation, and how it ended."""
        try:
            if self.operation == EMPTY:
                emptied = empty_trash(lake, now_ms=very_late_ms())
                return "done" if any(one.files for one in emptied) else "nothing"
            at_ms = now_ms() + AFTER_DAYS * DAY_MS
            said = maintained(lake, Operation(self.operation), at_ms=at_ms)
            return f"{said['did']}: {said['why']}" if said["why"] else said["did"]
        except LakeError as error:
            return f"{type(error).__name__}: {error}"

    def _restored(self, lake: Lakehouse) -> str:
        """The operation unless it is emptying, then everything out of the trash."""
        said = [] if self.operation == EMPTY else [self._said(lake)]
        for record in open_trash(lake).all():
            try:
                take_out(lake, record.id)
                said.append("restored")
            except LakeError as error:
                said.append(f"{type(error).__name__}: {error}")
        return "; ".join(said)


def very_late_ms() -> int:
    """When every window has closed."""
    return now_ms() + LATE_MS + AFTER_DAYS * DAY_MS


def tidied(looker: Looker) -> int:
    """Files that nothing names after every operation and an emptying."""
    for operation in PLANNERS:
        run(looker.lake, operation)
    empty_trash(looker.lake, now_ms=very_late_ms())
    return looker.look().unnamed


def _append(lake: Lakehouse) -> Rows:
    table = lake.catalog.load_table(NAME.identifier)
    names = {field.field_id: field.name for field in table.schema().fields}
    said = WRITES["append"](table, {"part": "b", "stamp": 2, "ids": NEW})
    return [{names[at]: value for at, value in row.items()} for row in said["rows"].values()]
