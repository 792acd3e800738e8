"""Other writers, lost leases, wrong clocks and broken answers, on a real catalog."""

from collections.abc import Callable
from functools import partialmethod

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitStateUnknownException

from dp_assets.adapters import iceberg_publish
from dp_assets.core.errors import OutcomeUnknownError, TransientError
from dp_assets.core.units import HOUR_MS, now_ms
from dp_assets_tests.adapters.orders import (
    MONDAY,
    ORDERS,
    OTHER_RUN,
    RUN,
    TUESDAY,
    Lake,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    check_files,
    check_totals,
)

STEPS = ("files-written", "metadata-written")


@pytest.fixture
def monday(lake: Lake) -> Lake:
    lake.put(MONDAY, [1, 2])
    return lake


@pytest.fixture(params=["sql", "api"])
def any_publish(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to move the pointer: our compare-and-swap, and PyIceberg's ``commit_table``."""
    if request.param == "api":
        monkeypatch.setattr(iceberg_publish, "publish", iceberg_publish._publish_through_api)
        monkeypatch.setattr(
            "dp_assets.adapters.pyiceberg_writer.publish", iceberg_publish._publish_through_api
        )
    return str(request.param)


def once(step: str, do: Callable[[], object]) -> Callable[[str], None]:
    """A failpoint that acts the first time a commit comes to ``step``."""
    reached: list[str] = []

    def at(point: str) -> None:
        if point == step and not reached:
            reached.append(point)
            do()

    return at


@pytest.mark.parametrize("step", STEPS)
def test_a_lost_race_is_decided_anew(monday: Lake, any_publish: str, step: str):
    """The other writer appends to our own day between our files and our swap."""
    other = once(step, lambda: monday.table().append(orders(MONDAY, [50])))
    writer = monday.writer(failpoint=other)
    writer.replace(ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN)
    assert monday.ids() == {MONDAY: [7]}
    assert len(monday.table().snapshots()) == 3
    check_totals(monday.table())


def test_a_lost_race_keeps_what_the_other_wrote_to_another_day(monday: Lake, any_publish: str):
    other = once("metadata-written", lambda: monday.table().append(orders(TUESDAY, [50])))
    monday.writer(failpoint=other).replace(
        ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN
    )
    assert monday.ids() == {MONDAY: [7], TUESDAY: [50]}


def test_four_lost_races_give_up_and_say_so(monday: Lake, any_publish: str):
    number = iter(range(100, 200))

    def race(step: str) -> None:
        if step == "metadata-written":
            monday.table().append(orders(TUESDAY, [next(number)]))

    with pytest.raises(TransientError, match=r"commit to raw\.orders"):
        monday.writer(failpoint=race).replace(
            ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN
        )
    assert monday.ids() == {MONDAY: [1, 2], TUESDAY: [100, 101, 102, 103]}
    assert monday.leases.held() == ()


def test_a_commit_through_the_api_is_recognised_as_landed(monday: Lake, any_publish: str):
    for _ in range(2):
        monday.put(TUESDAY, [3], run=OTHER_RUN)
    assert len(monday.table().snapshots()) == 2
    assert monday.ids() == {MONDAY: [1, 2], TUESDAY: [3]}
    check_totals(monday.table())


def test_a_lease_lost_before_the_swap_shows_nothing(monday: Lake):
    """As after a pause longer than the expiry: somebody else has the table now."""

    def take_over() -> None:
        [lease] = monday.leases.held()
        monday.leases.release(lease)
        monday.leases.acquire(lease.name, owner="somebody else", ttl_ms=1000, wait_ms=0)

    files_before = check_files(monday.table())
    attempts: list[str] = []
    lost = once("metadata-written", take_over)

    def count(step: str) -> None:
        attempts.append(step)
        lost(step)

    with pytest.raises(TransientError, match=r"lease table/raw\.orders .* is lost: somebody else"):
        monday.writer(failpoint=count).replace(
            ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN
        )
    assert attempts == ["files-written", "metadata-written"]
    assert monday.ids() == {MONDAY: [1, 2]}
    assert check_files(monday.table()) == files_before


def test_a_lease_held_by_a_living_writer_is_waited_for_then_named(monday: Lake):
    monday.leases.acquire("table/raw.orders", owner="the other run", ttl_ms=60_000, wait_ms=0)
    with pytest.raises(TransientError, match="is held by the other run"):
        monday.put(MONDAY, [7], run=OTHER_RUN)
    assert monday.ids() == {MONDAY: [1, 2]}


def test_an_exception_at_a_failpoint_releases_the_lease(monday: Lake):
    def stop() -> None:
        raise KeyboardInterrupt

    for step in (*STEPS, "committed"):
        with pytest.raises(KeyboardInterrupt):
            monday.writer(failpoint=once(step, stop)).replace(
                ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN
            )
        assert monday.leases.held() == ()
    assert monday.ids() == {MONDAY: [7]}
    assert len(monday.table().snapshots()) == 2


def test_snapshots_grow_in_time_when_the_clock_goes_back_an_hour(monday: Lake, any_publish: str):
    monday.clock_ms = lambda: now_ms() - HOUR_MS
    monday.put(TUESDAY, [3], run=OTHER_RUN)
    monday.put(MONDAY, [4], run=OTHER_RUN)
    raw = monday.raw()
    times = [s["timestamp-ms"] for s in raw["snapshots"]]
    assert times == sorted(set(times))
    logged = [entry["timestamp-ms"] for entry in raw["snapshot-log"]]
    assert logged == sorted(logged)
    assert raw["last-updated-ms"] >= times[-1]
    assert monday.ids() == {MONDAY: [4], TUESDAY: [3]}


BROKEN = (CommitStateUnknownException("504 gateway timeout"), ConnectionResetError("peer is gone"))


@pytest.fixture(params=BROKEN, ids=["unknown", "reset"])
def broken(
    request: pytest.FixtureRequest, monday: Lake, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Make the server's next answer to a commit a broken one, before or after it committed."""
    commit = type(monday.catalog).commit_table

    def answer(catalog: Catalog, *arguments: object, lands: bool, reached: bool = True) -> None:
        if lands:
            commit(catalog, *arguments)  # pyright: ignore[reportArgumentType]
        if not reached:
            monkeypatch.setattr(type(monday.catalog), "load_table", unreachable)
        raise request.param

    def unreachable(*_: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    def arm(**how: bool) -> None:
        monkeypatch.setattr(type(monday.catalog), "commit_table", partialmethod(answer, **how))
        monkeypatch.setattr(
            "dp_assets.adapters.pyiceberg_writer.publish", iceberg_publish._publish_through_api
        )

    return arm


def replace_monday(lake: Lake) -> None:
    lake.writer().replace(ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=RUN)


def test_a_lost_answer_after_success_is_resolved(monday: Lake, broken: Callable[..., None]):
    broken(lands=True)
    replace_monday(monday)
    assert monday.ids() == {MONDAY: [7]}
    assert len(monday.table().snapshots()) == 2


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"lands": False}, id="not-there-yet"),
        pytest.param({"lands": True, "reached": False}, id="nobody-to-ask"),
    ],
)
def test_a_commit_that_cannot_be_resolved_is_unknown_and_deletes_nothing(
    monday: Lake,
    broken: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    how: dict[str, bool],
):
    broken(**how)
    with pytest.raises(OutcomeUnknownError, match=r"commit to raw\.orders: the catalog broke off"):
        replace_monday(monday)
    monkeypatch.undo()
    assert monday.ids() == {MONDAY: [7] if how["lands"] else [1, 2]}
    replace_monday(monday)
    assert monday.ids() == {MONDAY: [7]}
    assert len(monday.table().snapshots()) == 2
