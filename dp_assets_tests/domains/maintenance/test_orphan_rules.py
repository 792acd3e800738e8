"""What stops a sweep for orphans, and from when on a file counts."""

from dataclasses import replace

import pytest

from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.maintenance.orphan_rules import (
    TableSeen,
    why_ahead,
    why_clocks_differ,
    why_incomplete,
    why_many,
    why_older,
    youngest_age_ms,
)
from dp_assets.ports.orphans import ListedFile

NOW = 1000 * DAY_MS
SEEN = TableSeen.of(
    {
        "table-uuid": "u",
        "last-updated-ms": NOW - DAY_MS,
        "last-sequence-number": 7,
        "metadata-log": [{"metadata-file": "/m/00004-a.metadata.json"}],
    },
    "/m/00005-b.metadata.json",
)
LATER = replace(
    SEEN, pointer="/m/00006-c.metadata.json", version=6, updated_ms=NOW, sequence_number=8
)


def test_a_table_may_go_on():
    assert why_older(SEEN, SEEN) == ""
    assert why_older(SEEN, LATER) == ""


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(replace(LATER, pointer="/m/00004-a.metadata.json"), id="in-the-log"),
        pytest.param(replace(LATER, updated_ms=SEEN.updated_ms - 1), id="dated-before"),
        pytest.param(replace(LATER, sequence_number=6), id="fewer-commits"),
        pytest.param(replace(LATER, version=4), id="a-lower-number"),
        pytest.param(replace(LATER, uuid="other"), id="another-table"),
    ],
)
def test_a_table_that_goes_back_stops_it(now: TableSeen):
    assert why_older(SEEN, now)


def test_metadata_files_that_are_ahead_stop_it():
    assert why_ahead({}, SEEN) == ""
    assert why_ahead({"/m/6": 6, "/m/1": 1}, SEEN) == ""
    assert "/m/8 is of a later commit" in why_ahead({"/m/7": 7, "/m/8": 8}, SEEN)
    assert "does not tell" in why_ahead({"/m/1": 1}, replace(SEEN, version=None))
    assert why_ahead({}, replace(SEEN, version=None)) == ""


def test_no_clock_may_be_far_ahead():
    assert why_clocks_differ(NOW + HOUR_MS, SEEN, now_ms=NOW) == ""
    assert "ahead" in why_clocks_differ(NOW + HOUR_MS + 1, SEEN, now_ms=NOW)
    ahead = replace(SEEN, updated_ms=NOW + 2 * HOUR_MS)
    assert "ahead" in why_clocks_differ(0, ahead, now_ms=NOW)


def test_a_day_is_the_least():
    assert [youngest_age_ms(h * HOUR_MS) for h in (0, 23, 72)] == [DAY_MS, DAY_MS, 3 * DAY_MS]


def test_what_is_missing_is_named():
    assert why_incomplete([]) == ""
    assert "a, b, c and 2 more" in why_incomplete(list("abcde"))


def test_a_tenth_or_a_thousand_is_asked_for():
    def files(count: int, size: int) -> list[ListedFile]:
        return [ListedFile(f"/{number}", size, 0) for number in range(count)]

    assert why_many(files(1, 10), kept_bytes=100) == ""
    assert "more than 10 % of the 100 B" in why_many(files(1, 11), kept_bytes=100)
    assert why_many(files(1000, 0), kept_bytes=0) == ""
    assert "1,001 files" in why_many(files(1001, 0), kept_bytes=100)
    assert why_many(files(1, 1), kept_bytes=0)
