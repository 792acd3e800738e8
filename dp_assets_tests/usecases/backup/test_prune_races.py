"""Prunes and backups killed or stopped anywhere: no kept point loses an object, nothing stays."""

from collections.abc import Callable, Iterator

import pytest

from dp_assets.core.errors import LakeError
from dp_assets_tests.fakes.objects import KilledError, MemoryObjectStore
from dp_assets_tests.usecases.backup.hooked_store import HookedStore
from dp_assets_tests.usecases.backup.house import A, C, D, House, with_history
from dp_assets_tests.usecases.backup.tiny_points import verify_fully

KINDS = ("nothing forgotten", "condemned", "due")


def killed_at_every_change(kind: str) -> Iterator[House]:
    for changes in range(1000):
        house = with_history(kind)
        house.store.changes_left = changes
        try:
            house.prune()
            break
        except KilledError:
            house.store.changes_left = None
            yield house
    assert changes >= 2  # taking the lease and giving it back


@pytest.mark.parametrize("kind", KINDS)
def test_a_prune_killed_at_any_change_loses_nothing_and_is_finished_by_the_next(kind):
    for house in killed_at_every_change(kind):
        house.require_whole()
        assert house.points.numbers()[-1] == 2
        house.clock.hours(1)  # its lease ends
        house.back_up(A, D)
        house.require_whole()
        house.prune_until_clean()
        house.require_clean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_killed_at_any_change_leaves_what_the_next_prune_removes(kind):
    for changes in range(1000):
        house = with_history(kind)
        house.store.changes_left = changes
        try:
            house.back_up(A, D)
            break
        except KilledError:
            house.store.changes_left = None
        house.require_whole()
        house.clock.hours(1)
        house.prune()
        house.require_whole()
        house.back_up(A, C)
        house.prune_until_clean()
        house.require_clean()
    assert changes > 10


def interleaved(kind: str, first: str, second: str) -> Iterator[tuple[int, House, str]]:
    """``first`` is stopped at each of its calls, for longer than its lease, and goes on."""
    work: dict[str, Callable[[House], object]] = {
        "backup": lambda house: house.back_up(A, D),
        "prune": lambda house: house.prune(),
        "two prunes": lambda house: (house.prune(), house.clock.hours(3), house.prune()),
    }
    for call in range(1000):
        house = with_history(kind)
        other = House(MemoryObjectStore(house.store.objects), house.clock)

        def meanwhile(other: House = other) -> None:
            other.clock.hours(2)
            work[second](other)

        hooked = HookedStore(house.store.objects, at_call=call, meanwhile=meanwhile)
        ended = "well"
        try:
            made = work[first](House(hooked, house.clock))
            assert first != "backup" or made in other.points.numbers()
        except LakeError as error:
            ended = error.what
        if not hooked.stopped:
            assert call > 10
            return
        yield call, other, ended


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("backup", "two prunes"),
        ("prune", "backup"),
        ("two prunes", "backup"),
        ("backup", "backup"),
    ],
)
def test_whoever_is_stopped_at_any_call_and_goes_on_later_harms_no_point(kind, first, second):
    endings: set[str] = set()
    for call, house, ended in interleaved(kind, first, second):
        outcome = verify_fully(house.repository, now_ms=house.clock())
        assert outcome.is_whole, (call, ended, outcome.damages)
        endings.add(ended)
        house.prune_until_clean()
        house.require_clean()
    assert any("lease" in ended for ended in endings)
