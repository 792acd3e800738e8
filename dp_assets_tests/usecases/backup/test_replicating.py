"""A second place: whole points only, resumable, and never a damaged object."""

import pytest

from dp_assets.adapters.recovery.sealing import PlainSealing
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.core.units import HOUR_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise, open_repository
from dp_assets.domains.backup.pins import Pin, pin, unpin
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.leases import held_lease
from dp_assets.usecases.backup.replicating import (
    Replicated,
    Replication,
    replica_state,
    replicate,
)
from dp_assets_tests.fakes.objects import KilledError, MemoryObjectStore
from dp_assets_tests.usecases.backup.hooked_store import HookedStore
from dp_assets_tests.usecases.backup.house import A, B, C, D, House, with_history
from dp_assets_tests.usecases.backup.tiny_points import (
    LEASE_MS,
    START_MS,
    leases_of,
    verify_fully,
)


class Place(MemoryObjectStore):
    """A second store, told from the first by its address."""

    @property
    def address(self) -> str:
        return "elsewhere"


def to(house: House, target: MemoryObjectStore, *, keep: bool = False) -> Replicated:
    asked = Replication(owner="replicate", lease_ms=LEASE_MS, keep=keep, workers=1)
    leases = leases_of(target, house.clock)
    return replicate(house.repository, target, leases, asked, now_ms=house.clock)


def opened(store: MemoryObjectStore) -> Repository:
    return open_repository(store, lambda _: PlainSealing())


def content(store: MemoryObjectStore) -> dict[str, bytes]:
    left_out = (layout.LEASES, layout.CONDEMNED)
    return {k: v for k, v in store.objects.items() if not k.startswith(left_out)}


def listed(house: House, point: int) -> set[str]:
    references = house.points.record(point).references[0]
    return {name for name, _, _ in house.points.references(references).objects}


@pytest.fixture
def house() -> House:
    house = House()
    house.back_up(A, B)
    house.clock.hours(1)
    house.back_up(B, C)
    return house


@pytest.fixture
def target() -> Place:
    return Place()


def test_the_second_place_is_the_repository_again(house, target):
    done = to(house, target)
    assert (done.points, done.damages, done.withheld) == ((1, 2), (), ())
    assert content(target) == content(house.store)
    outcome = verify_fully(opened(target))
    assert outcome.is_whole
    assert outcome.superfluous == 0


def test_only_what_is_missing_is_copied(house, target):
    first = to(house, target)
    assert to(house, target).objects == 0
    house.back_up(B, D)
    third = to(house, target)
    assert third.points == (3,)
    assert 0 < third.objects < first.objects
    assert content(target) == content(house.store)


def test_what_was_lost_or_cut_there_is_copied_again(house, target):
    to(house, target)
    lost, short, *_ = (k for k in target.objects if k.startswith(layout.OBJECTS))
    del target.objects[lost]
    target.objects[short] = target.objects[short][:-1]
    assert to(house, target).objects == 2
    assert content(target) == content(house.store)


def test_a_damaged_object_is_named_and_so_are_the_points_that_are_held_back(house, target):
    (only_first,) = listed(house, 1) - listed(house, 2)
    key = layout.object_key(only_first)
    house.store.damage(key)
    done = to(house, target)
    assert [(d.key, d.points) for d in done.damages] == [(key, (1,))]
    assert (done.points, done.withheld) == ((2,), (1,))
    assert key not in target.objects
    assert Points(opened(target)).numbers() == (2,)
    assert verify_fully(opened(target)).is_whole
    house.store.damage(key)  # the same bits again: it is whole
    assert to(house, target).points == (1,)
    assert content(target) == content(house.store)


def test_a_point_whose_record_or_manifest_is_lost_here_is_held_back(house, target):
    house.back_up(D)
    for name in (layout.RECORD, layout.RECORD_COPY):
        house.store.damage(layout.point_key(1, name), at=9)
    for name in (layout.MANIFEST, layout.MANIFEST_COPY):
        house.store.damage(layout.point_key(2, name), at=9)
    done = to(house, target)
    assert {n for d in done.damages for n in d.points} == {1, 2}
    assert (done.points, done.withheld) == ((3,), (1, 2))
    assert verify_fully(opened(target)).is_whole


def test_one_damaged_copy_of_a_record_and_of_a_manifest_is_no_hindrance(house, target):
    before = content(house.store)
    house.store.damage(layout.point_key(1, layout.RECORD), at=9)
    house.store.damage(layout.point_key(2, layout.MANIFEST), at=9)
    assert to(house, target).points == (1, 2)
    assert content(target) == before


def test_forgotten_points_go_there_too_unless_they_are_kept(house, target):
    to(house, target)
    house.prune_until_clean()
    assert to(house, target, keep=True).forgotten == ()
    assert Points(opened(target)).numbers() == (1, 2)
    assert to(house, target).forgotten == (1,)
    house.clock.hours(3)
    assert to(house, target).swept.deleted > 0
    assert verify_fully(opened(target)).superfluous == 0
    house.back_up(A)
    to(house, target)
    assert verify_fully(opened(target)).is_whole


def test_a_point_that_vanished_here_is_not_forgotten_there(house, target):
    to(house, target)
    for name in (layout.RECORD, layout.RECORD_COPY):
        del house.store.objects[layout.point_key(1, name)]
    assert to(house, target).forgotten == ()
    assert Points(opened(target)).numbers() == (1, 2)


def test_pins_follow(house, target):
    pin(house.store, house.points, Pin(1, START_MS, "first"))
    to(house, target)
    assert content(target) == content(house.store)
    pin(house.store, house.points, Pin(1, START_MS, "another note"))
    to(house, target)
    assert content(target) == content(house.store)
    unpin(house.store, 1)
    to(house, target)
    assert content(target) == content(house.store)


def test_another_repository_something_else_and_itself_are_refused(house, target):
    initialise(target, PlainSealing(), repository_id="another", now_ms=1)
    before = dict(target.objects)
    with pytest.raises(PermanentError, match="holds repository another"):
        to(house, target)
    assert target.objects == before
    with pytest.raises(PermanentError, match="not empty"):
        to(house, Place({"holiday.jpg": b"x"}))
    with pytest.raises(PermanentError, match="repository itself"):
        to(house, house.store)


def test_two_at_once_are_one_that_works_and_one_that_is_refused(house, target):
    with (
        held_lease(
            leases_of(target, house.clock), "backup", owner="other", ttl_ms=LEASE_MS, wait_ms=0
        ),
        pytest.raises(TransientError, match="held by other"),
    ):
        to(house, target)
    assert Points(opened(target)).numbers() == ()


def test_the_lag_is_the_age_of_the_oldest_point_that_is_not_there(house, target):
    house.clock.hours(1)
    state = replica_state(house.repository, target, now_ms=house.clock())
    assert (state.behind, state.lag_ms, state.newest_there) == ((1, 2), 2 * HOUR_MS, None)
    assert to(house, target).state.lag_ms == 0
    house.back_up(D)
    house.clock.hours(5)
    state = replica_state(house.repository, target, now_ms=house.clock())
    assert (state.newest_here, state.newest_there) == (3, 2)
    assert (state.behind, state.lag_ms) == ((3,), 5 * HOUR_MS)


def test_killed_at_any_change_it_shows_whole_points_and_goes_on(house):
    for changes in range(1000):
        target = Place(changes_left=changes)
        try:
            to(house, target)
            break
        except KilledError:
            target.changes_left = None
        if layout.DESCRIPTION in target.objects:
            outcome = verify_fully(opened(Place(dict(target.objects))))
            assert [d for d in outcome.damages if not d.mended] == []
        house.clock.hours(1)  # the lease of the killed one ends
        to(house, target)
        assert content(target) == content(house.store)
    assert changes > 15


def test_the_source_may_be_pruned_and_backed_up_at_every_step():
    for call in range(1000):
        house = House()
        house.back_up(A, B)
        house.back_up(B, C)
        house.prune()
        house.clock.hours(3)
        target = Place()
        other = House(MemoryObjectStore(house.store.objects), house.clock)

        def meanwhile(other: House = other) -> None:
            other.back_up(C, D)
            other.prune()

        hooked = HookedStore(house.store.objects, at_call=call, meanwhile=meanwhile)
        to(House(hooked, house.clock), target)
        assert verify_fully(opened(target)).is_whole
        to(other, target)
        assert Points(opened(target)).numbers() == Points(other.repository).numbers()
        if not hooked.stopped:
            break
    assert call > 10


def test_a_replication_that_was_stopped_at_any_step_harms_no_point():
    for call in range(1000):
        house, target = with_history("nothing forgotten"), Place()
        to(house, target)
        house.back_up(C, D)
        other = Place(target.objects)

        def meanwhile(house: House = house, other: Place = other) -> None:
            house.clock.hours(2)
            house.prune()
            house.back_up(A, C)
            to(house, other)

        class HookedPlace(HookedStore, Place):
            pass

        hooked = HookedPlace(target.objects, at_call=call, meanwhile=meanwhile)
        try:
            to(house, hooked)
        except LakeError:
            assert hooked.stopped
        assert verify_fully(opened(other)).is_whole, call
        if not hooked.stopped:
            break
    assert call > 10
