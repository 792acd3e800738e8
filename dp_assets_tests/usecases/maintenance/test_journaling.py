"""Attempts are kept, and read back as they were: from the spool, from the table, from both."""

from dataclasses import replace

import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.maintenance.journal import JOURNAL
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Attempt, Operation, Outcome
from dp_assets.usecases.maintenance.journaling import DAYS, keep, read_journal
from dp_assets_tests.adapters.real_lakehouse import make_lakehouse

NOW_MS = 1_790_000_000_000
FLIGHTS = TableId("raw", "flights")
DONE = Attempt(
    table=str(FLIGHTS),
    uuid="6f1d",
    operation=Operation.EXPIRY,
    outcome=Outcome.DONE,
    started_at_ms=NOW_MS - 5000,
    finished_at_ms=NOW_MS,
    pointer="file:///lake/raw/flights/metadata/00002.metadata.json",
    run_id="run",
    before={"snapshots": 90, "bytes": 2**40},
    after={"snapshots": 5, "bytes": 7},
    memory_bytes=400 << 20,
)
FAILED = replace(
    DONE,
    operation=Operation.COMPACTION,
    outcome=Outcome.FAILED,
    uuid="",
    started_at_ms=NOW_MS - 2 * HOUR_MS,
    problem="the disk is full",
    before=None,
    after=None,
    memory_bytes=None,
)


@pytest.fixture
def lake(tmp_path):
    with opened(make_lakehouse(tmp_path, commits=1)) as lake:
        yield lake


def test_nothing_is_known_of_a_new_lakehouse(lake):
    journal = read_journal(lake, now_ms=NOW_MS)
    assert (journal.of(FLIGHTS), journal.recent) == ([], [])


@pytest.mark.parametrize("flushed", [0, 1, 2])
def test_attempts_come_back_as_they_were_kept(lake, flushed):
    for number, attempt in enumerate((FAILED, DONE), start=1):
        assert keep(lake, attempt) is None
        if number <= flushed:
            lake.flush(at_once=True)
    assert (JOURNAL.table in lake.tables()) is bool(flushed)
    journal = read_journal(lake, now_ms=NOW_MS)
    assert journal.of(FLIGHTS) == [FAILED, DONE]
    assert journal.recent == [DONE]
    assert journal.of(TableId("raw", "other")) == []


def test_what_is_long_ago_decides_nothing(lake):
    keep(lake, replace(DONE, started_at_ms=NOW_MS - DAYS * DAY_MS - 1))
    assert read_journal(lake, now_ms=NOW_MS).of(FLIGHTS) == []
