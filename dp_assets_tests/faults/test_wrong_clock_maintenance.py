"""Maintenance by a machine whose clock is wrong, either way: nothing is lost (FAULTS 9)."""

import time

import pytest

from dp_assets.core import units
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation
from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.maintained_house import House, house, rows_of
from dp_assets_tests.faults.model_process import NAME, maintained
from dp_assets_tests.faults.model_writes import WRITES

__all__ = ["house"]

KEPT = 2  # snapshots, by the table's policy, besides the tag's
HOUR, DAY = 3_600, 86_400  # seconds


class WrongClock:
    """The real time, some seconds off."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def time_ns(self) -> int:
        return time.time_ns() + self.seconds * 10**9


@pytest.mark.parametrize("seconds", [-DAY, -HOUR, HOUR, DAY])
def test_it_expires_by_ancestry_and_count_and_loses_no_row(
    house: House, monkeypatch: pytest.MonkeyPatch, seconds: int
):
    house.put_back()
    with opened(house.settings) as lake:
        head = lake.catalog.load_table(NAME.identifier).metadata.current_snapshot_id
    with monkeypatch.context() as wrong, opened(house.settings) as lake:
        wrong.setattr(units, "time", WrongClock(seconds))
        for operation in (Operation.EXPIRY, Operation.MANIFESTS, Operation.COMPACTION):
            if operation in PLANNERS:
                maintained(lake, operation, at_ms=units.now_ms())
        assert rows_of(lake) == house.rows
    with opened(house.settings) as lake:
        table = lake.catalog.load_table(NAME.identifier)
        kept = {snapshot.snapshot_id for snapshot in table.snapshots()}
        assert head in kept
        assert len(kept) > KEPT
        log = [entry.timestamp_ms for entry in table.metadata.snapshot_log]
        assert log == sorted(log)
        numbers = [one.sequence_number or 0 for one in table.snapshots()]
        times = [one.timestamp_ms for one in table.snapshots()]
        assert [at for _, at in sorted(zip(numbers, times, strict=True))] == sorted(times)
        WRITES["append"](table, {"ids": [1000], "part": "a", "stamp": 1})
        maintained(lake, Operation.EXPIRY, at_ms=units.now_ms())
        head_rows, tag_rows = rows_of(lake)
        assert [row["id"] for row in head_rows if row["id"] == 1000] == [1000]
        assert len(head_rows) == len(house.rows[0]) + 1
        assert tag_rows == house.rows[1]
