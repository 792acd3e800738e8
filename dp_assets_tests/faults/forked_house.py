"""The table of :mod:`maintained_table` in the hands of a process that forks, and never a thread."""

import gc
import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Self

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.faults.forking import Moments, Work, must_run
from dp_assets_tests.faults.maintained_look import Seen, looking_at, run
from dp_assets_tests.faults.maintained_table import AFTER_DAYS, maintained_lake
from dp_assets_tests.faults.model_process import LATE_MS

REPORT = "report.json"
DO_NOT_FORK = ("__main__", "polars")  # what must not be imported before a fork


@dataclass(frozen=True)
class ForkedHouse(PreparedLake):
    """A lakehouse that is put back before every fault.

    Attributes:
        before: what the prepared table is.
    """

    before: Seen

    @classmethod
    def build(cls, folder: Path) -> Self:
        settings, report = PreparedLake.make(folder, maintained_lake).settings, folder / REPORT
        must_run(_looking(settings, report))
        seen, modules = json.loads(report.read_text())
        for name in modules:
            if not name.startswith(DO_NOT_FORK):
                with suppress(ImportError):
                    import_module(name)  # late imports would be those of every child
        gc.freeze()  # a child that looks for garbage copies no page of its parent's
        return cls(folder, settings, Seen(**seen))

    @property
    def report(self) -> Path:
        """Where a child writes what it found."""
        return self.folder / REPORT


def _looking(settings: Settings, report: Path) -> Work:
    """How the table is before any fault, and what modules all of this needs."""

    def work(_: Moments) -> None:
        with looking_at(settings) as looker:
            seen = looker.look()
            for operation in PLANNERS:
                run(looker.lake, operation)
            empty_trash(looker.lake, now_ms=now_ms() + LATE_MS + AFTER_DAYS * DAY_MS)
        report.write_text(json.dumps([asdict(seen), sorted(sys.modules)]))

    return work
