"""kill -9 of a run of three days, then the same command again: as if nothing had happened."""

from pathlib import Path

import pytest

from dp_assets_tests.adapters.week_of_flights import FLIGHTS_A_DAY
from dp_assets_tests.faults.killed_pipeline import Left
from dp_assets_tests.faults.killing import kills, seed, tell, times

KILLS = times(2, soak=20)


@pytest.mark.soak
def test_three_days_after_a_kill_are_the_same_as_without(tmp_path: Path):
    """The record of Dagster is compared with the tables by the process itself."""
    untouched, *killed = kills(Left, "pipeline", tmp_path, KILLS, seed())
    tell(killed, of=KILLS)
    for left in killed:
        assert left.content == untouched.content
    assert untouched.content["raw.flights"][0] == 3 * FLIGHTS_A_DAY
    assert untouched.content["curated.flights"][0] == 3 * FLIGHTS_A_DAY
