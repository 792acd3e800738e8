"""Prune: what is forgotten, what stays, and that nothing is touched when in doubt."""

import random

import pytest

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.pins import Pin, pin, unpin
from dp_assets.domains.backup.prune import condemned_names
from dp_assets.domains.backup.retention import Rules
from dp_assets.ports.leases import held_lease
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.ports.recovery import ProofRecord
from dp_assets.usecases.backup.pruning import Pruning, plan_prune, require_own
from dp_assets_tests.usecases.backup.house import A, B, C, D, House
from dp_assets_tests.usecases.backup.tiny_points import LEASE_MS, START_MS, leases_of, verify_fully

USUAL = Rules(daily=2, weekly=1, monthly=1, min_proven=1)


def test_what_no_point_needs_is_condemned_first_and_deleted_later():
    house = House()
    house.back_up(A, B)
    house.back_up(B, C)
    before = dict(house.store.objects)
    done = house.prune()
    assert done.forgotten == (1,)
    assert done.condemned == 3  # a, the first list of files, the first list of objects
    objects = {k for k in before if k.startswith(layout.OBJECTS)}
    assert objects <= set(house.store.objects)
    house.clock.hours(0.9)
    assert house.prune().swept.deleted == 0
    house.clock.hours(0.2)
    assert house.prune().swept.deleted == 3
    house.require_clean()
    assert house.points.numbers() == (2,)


def test_a_dry_run_names_what_goes_and_why_the_rest_stays_and_changes_nothing():
    house = House()
    house.back_up(A)
    house.clock.hours(1)
    house.back_up(B)
    before = dict(house.store.objects)
    plan = plan_prune(house.repository, Pruning(USUAL, owner="prune", lease_ms=LEASE_MS))
    assert plan.leaving == (1,)
    assert plan.points[1].reasons[0] == "newest"
    assert len(plan.unneeded.names) == 3
    assert house.store.objects == before


def test_a_number_is_never_used_twice():
    house = House()
    for content in (A, B):
        house.back_up(content)
    house.prune_until_clean()
    assert house.back_up(C) == 3


def test_a_pinned_point_stays_until_it_is_unpinned():
    house = House()
    house.back_up(A)
    pin(house.store, house.points, Pin(1, START_MS, "before the migration"))
    house.back_up(B)
    assert house.prune().forgotten == ()
    unpin(house.store, 1)
    assert house.prune().forgotten == (1,)
    with pytest.raises(ConfigurationError, match="not pinned"):
        unpin(house.store, 1)
    with pytest.raises(ConfigurationError, match="no recovery point 1"):
        pin(house.store, house.points, Pin(1, START_MS, ""))


def proof(house: House, point: int, *, proven: bool = True) -> str:
    key = layout.proof_key(point, house.clock())
    house.store.put(key, checked(ProofRecord(point, house.clock(), "sample", proven, {}, 1.0, 1)))
    return key


def test_the_newest_proven_points_stay_and_a_failed_drill_proves_nothing():
    house = House()
    for content in (A, B, C, D):
        house.back_up(content)
    proof(house, 1)
    kept = proof(house, 2)
    proof(house, 3, proven=False)
    one = Rules(daily=0, weekly=0, monthly=0, min_proven=1)
    assert house.prune(one).forgotten == (1, 3)
    assert [info.key for info in house.store.list(layout.PROOFS)] == [kept]


@pytest.mark.parametrize(
    "key",
    [
        "record",
        "references",
        "proof",
        "vanished",
    ],
)
def test_nothing_is_touched_while_a_point_cannot_be_read(key):
    house = House()
    for content in (A, B, C):
        house.back_up(content)
    proven = proof(house, 3)
    if key == "references":
        damaged = [layout.object_key(house.points.record(2).references[0])]
    elif key == "proof":
        damaged = [proven]
    else:
        damaged = [layout.point_key(2, name) for name in (layout.RECORD, layout.RECORD_COPY)]
    for one in damaged:
        if key == "vanished":
            del house.store.objects[one]
        else:
            house.store.damage(one, at=9)
    before = dict(house.store.objects)
    with pytest.raises(DamagedObjectError, match="point 3" if key == "proof" else "point 2"):
        house.prune()
    assert house.store.objects == before


def test_a_point_that_cannot_be_read_can_be_given_up():
    house = House()
    for content in (A, B, C):
        house.back_up(content)
    for name in (layout.RECORD, layout.RECORD_COPY):
        house.store.damage(layout.point_key(2, name), at=9)
    done = house.prune(given_up=frozenset({2}))
    assert done.forgotten == (1, 2)
    house.prune_until_clean()
    house.require_clean()
    with pytest.raises(ConfigurationError, match="no recovery point 9"):
        house.prune(given_up=frozenset({9}))


def test_the_last_whole_point_is_never_forgotten_for_an_incomplete_one():
    house = House()
    house.back_up(A)
    house.back_up(B, complete=False)
    house.prune_until_clean()
    assert house.points.numbers() == (1, 2)


def test_deleting_waits_while_a_backup_runs():
    house = House()
    house.back_up(A)
    house.back_up(B)
    leases = leases_of(house.store, house.clock)
    with held_lease(leases, "backup", owner="backup", ttl_ms=LEASE_MS, wait_ms=0):
        done = house.prune()
    assert "held by backup" in done.postponed
    assert (done.forgotten, done.condemned) == ((1,), 0)
    house.prune_until_clean()
    house.require_clean()


def test_a_damaged_list_of_condemned_objects_deletes_nothing_and_is_written_anew():
    house = House()
    house.back_up(A)
    house.back_up(B)
    house.prune()
    (info,) = house.store.list(layout.CONDEMNED)
    house.store.damage(info.key, at=5)
    assert condemned_names(house.repository) == frozenset()
    assert len(verify_fully(house.repository).damages) == 1
    house.clock.hours(3)
    assert house.prune().swept.deleted == 0
    house.prune_until_clean()
    house.require_clean()


def test_points_of_another_lakehouse_are_refused():
    house = House()
    require_own(house.repository, "lake-2")  # no point yet: nobody's
    house.back_up(A)
    require_own(house.repository, "lake-1")
    with pytest.raises(PermanentError, match="lakehouse lake-1"):
        require_own(house.repository, "lake-2")


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_lose_nothing_and_leave_nothing(seed):
    chance = random.Random(seed)  # noqa: S311 - no secret
    house = House()
    rules = Rules(
        daily=chance.randrange(4),
        weekly=chance.randrange(3),
        monthly=chance.randrange(2),
        min_proven=chance.randrange(2),
    )
    for _ in range(25):
        house.clock.hours(chance.choice((0.1, 5, 30, 200)))
        what = chance.randrange(6)
        numbers = house.points.numbers()
        if what < 3 or not numbers:
            house.back_up(*chance.sample((A, B, C, D), chance.randrange(1, 4)))
        elif what == 3:
            pin(house.store, house.points, Pin(chance.choice(numbers), START_MS, ""))
        elif what == 4:
            proof(house, chance.choice(numbers))
        else:
            house.prune(rules)
        house.require_whole()
    for _ in range(2):
        house.clock.hours(3)
        house.prune(rules)
    house.require_clean()
