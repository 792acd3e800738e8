"""A table with work for every operation of maintenance, to be broken off in the middle of it."""

from pathlib import Path

from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.adapters.table_checks import path_of
from dp_assets_tests.faults.forking import Moments, Work, must_run
from dp_assets_tests.faults.model_deletes import delete_positions
from dp_assets_tests.faults.model_episode import SETTINGS, make
from dp_assets_tests.faults.model_process import NAME
from dp_assets_tests.faults.model_writes import WRITES

AFTER_DAYS = 10  # when the operations look at it: what is left over is old by then


def maintained_lake(folder: Path) -> Settings:
    """A lakehouse in ``folder`` with the table, made by a child: no thread is left here."""
    settings = settings_in(folder, SETTINGS)
    must_run(_prepare(settings))
    return settings


def _prepare(settings: Settings) -> Work:
    """A table with work for every operation: small files, deletes, old snapshots, a stray file."""

    def work(_: Moments) -> None:
        make(settings, version=2, keep=2)
        with opened(settings) as lake:
            for number in range(6):
                _write(lake, "append", ids=[10 * number + n for n in range(5)])
            _write(lake, "tag", name="kept")
            _write(lake, "update", ids=[0, 11])
            _delete(lake, ids=[20, 31])
            _write(lake, "append", ids=[90, 91])
            location = lake.catalog.load_table(NAME.identifier).location()
        stray = path_of(location) / "data" / "stray.parquet"
        stray.write_bytes(b"nobody names it")

    return work


def _write(lake: Lakehouse, what: str, **order: object) -> None:
    table = lake.catalog.load_table(NAME.identifier)
    WRITES[what](table, {"part": "a", "stamp": 1, **order})


def _delete(lake: Lakehouse, *, ids: list[int]) -> None:
    delete_positions(lake.catalog.load_table(NAME.identifier), {"ids": ids})
