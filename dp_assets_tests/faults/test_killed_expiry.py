"""Expiry and the trash survive ``kill -9`` after each durable step.

At the kill every kept snapshot has its files; after the same command nothing is left over but the
metadata file of a commit that never happened, which is for the sweep of orphans.
"""

import pytest

from dp_assets_tests.faults import killing
from dp_assets_tests.faults.killed_expiry import EMPTYING, EXPIRY, Left

BEFORE, AFTER = 11, 3  # snapshots


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    found = killing.kills(Left, "expiry", tmp_path_factory.mktemp("killed"))
    return {left.step: left for left in found}


def test_every_kill_happened(kills: dict[str, Left]):
    assert list(kills) == [f"{name} {count}" for name, count in (*EXPIRY, *EMPTYING)]
    assert all(left.killed for left in kills.values())


@pytest.mark.parametrize(
    ("step", "snapshots", "state"),
    [
        ("recorded 1", BEFORE, "unfinished"),
        ("metadata-written 1", BEFORE, "unfinished"),
        ("committed 1", AFTER, "unfinished"),
        ("closed 1", AFTER, "waiting"),
        ("marked 1", AFTER, "emptying"),
        ("deleted 1", AFTER, "emptying"),
        ("deleted 4", AFTER, "emptying"),
    ],
)
def test_what_a_kill_left(kills: dict[str, Left], step: str, snapshots: int, state: str):
    assert (kills[step].snapshots, list(kills[step].states)) == (snapshots, [state])


def test_the_next_expiry_puts_the_records_of_a_killed_one_right(kills: dict[str, Left]):
    """Dropped where nothing was committed, completed where it was."""
    states = {step: kills[step].states_again for step in (f"{n} {c}" for n, c in EXPIRY)}
    assert set(map(tuple, states.values())) == {("waiting",)}


def test_the_same_command_ends_it_and_nothing_stays_for_ever(kills: dict[str, Left]):
    assert {left.again for left in kills.values()} == {AFTER}
    assert {left.records for left in kills.values()} == {0}
    left_over = {step: left.unnamed for step, left in kills.items() if left.unnamed}
    assert left_over == {"metadata-written 1": 1}
