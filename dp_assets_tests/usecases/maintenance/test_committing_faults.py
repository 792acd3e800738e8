"""Lost answers, lost leases, lost races, kills and wrong commits: what is left in the table."""

import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitStateUnknownException

from dp_assets.adapters import iceberg_publish
from dp_assets.core.errors import OutcomeUnknownError, TransientError
from dp_assets.usecases.maintenance import publishing
from dp_assets.usecases.maintenance.publishing import ATTEMPTS
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import check_files, path_of
from dp_assets_tests.faults.forking import Moments, must_run, run_child
from dp_assets_tests.usecases.maintenance.compacting import (
    around,
    commit,
    compact,
    plan_all,
    rewrite_all,
    written,
)
from dp_assets_tests.usecases.maintenance.things import NAME, Things, rows

STEPS = ("manifests-written", "files-written", "metadata-written", "committed", "proven")
ALL = [*range(1, 7), *range(11, 17)]


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """A real lakehouse without tables."""
    with Lake(tmp_path) as opened:
        yield opened


@pytest.fixture
def things(lake: Lake) -> Things:
    return Things(lake).make()


@pytest.fixture(params=["sql", "api"])
def any_publish(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to move the pointer: our compare-and-swap, and PyIceberg's ``commit_table``."""
    if request.param == "api":
        api = iceberg_publish._publish_through_api
        monkeypatch.setattr(publishing, "publish", api)
    return str(request.param)


def leftovers(things: Things) -> set[Path]:
    """Files in the warehouse that nothing names."""
    named = {path_of(str(path)) for path in check_files(things.table)}
    return {p for p in things.lake.warehouse.rglob("*") if p.is_file()} - named


def once(step: str, does: Callable[[], object]) -> Callable[[str], None]:
    todo = [does]

    def failpoint(at: str) -> None:
        if at == step and todo:
            todo.pop()()

    return failpoint


def test_nothing_is_left_of_a_commit(things: Things):
    compact(things.lake.catalog, NAME)
    assert leftovers(things) == set()


def test_both_ways_to_commit_say_the_same(things: Things, any_publish: str):
    things.table.manage_snapshots().create_tag(things.raw["current-snapshot-id"], "kept").commit()
    done = compact(things.lake.catalog, NAME)
    assert things.ids() == ALL
    assert things.raw["refs"]["main"]["snapshot-id"] == done.snapshot_id
    assert "kept" in things.raw["refs"]


def test_ten_lost_races_give_up_and_clean_up(things: Things, any_publish: str):
    plan = plan_all(NAME, things.pointer)
    rewritten = rewrite_all(plan)
    number = iter(range(100, 200))

    def race(step: str) -> None:
        if step == "metadata-written":
            things.table.append(rows("a", [next(number)]))

    with pytest.raises(TransientError, match=r"commit to raw\.things"):
        commit(around(things.lake.catalog, failpoint=race), plan, rewritten)
    assert things.ids() == [*ALL, *range(100, 100 + ATTEMPTS)]
    assert not any(path.exists() for path in written(rewritten))
    assert {p.suffix for p in leftovers(things)} <= {".json"}


def test_a_lost_lease_shows_nothing_and_cleans_up(things: Things, any_publish: str):
    plan = plan_all(NAME, things.pointer)
    rewritten, pointer = rewrite_all(plan), things.pointer

    def lost() -> None:
        raise TransientError("the lease is lost", hint="run it again")

    with pytest.raises(TransientError, match="lease is lost"):
        commit(around(things.lake.catalog, guard=lost), plan, rewritten)
    assert things.pointer == pointer
    assert not any(path.exists() for path in written(rewritten))
    assert {p.suffix for p in leftovers(things)} <= {".json"}


def test_a_lost_answer_of_a_landed_commit_is_resolved(
    things: Things, monkeypatch: pytest.MonkeyPatch
):
    real = publishing.publish

    def lost(catalog: Catalog, *given: object, **more: object) -> None:
        real(catalog, *given, **more)  # pyright: ignore[reportArgumentType]
        raise OutcomeUnknownError("the catalog broke off", hint="wait")

    monkeypatch.setattr(publishing, "publish", lost)
    done = compact(things.lake.catalog, NAME)
    assert things.raw["current-snapshot-id"] == done.snapshot_id
    assert things.ids() == ALL
    assert len(things.raw["snapshots"]) == 7
    assert leftovers(things) == set()


@pytest.mark.parametrize("later", [False, True], ids=["head", "others-committed-since"])
def test_the_same_call_again_recognises_what_landed(
    things: Things, monkeypatch: pytest.MonkeyPatch, later: bool
):
    """The answer was lost, and the catalog away when it was asked."""
    plan = plan_all(NAME, things.pointer)
    rewritten, real = rewrite_all(plan), publishing.publish

    def away(*_: object) -> str:
        raise TransientError("the catalog is away", hint="wait")

    with monkeypatch.context() as patched:

        def lost(catalog: Catalog, *given: object, **more: object) -> None:
            real(catalog, *given, **more)  # pyright: ignore[reportArgumentType]
            patched.setattr(publishing, "existing_pointer", away)
            raise OutcomeUnknownError("the catalog broke off", hint="wait")

        patched.setattr(publishing, "publish", lost)
        with pytest.raises(OutcomeUnknownError, match="broke off"):
            commit(around(things.lake.catalog), plan, rewritten)
    assert all(path.exists() for path in written(rewritten))
    if later:
        things.table.append(rows("a", [7]))
    landed = things.raw["snapshots"][6]["snapshot-id"]
    done = commit(around(things.lake.catalog), plan, rewritten)
    assert (done.repeated, done.snapshot_id, done.dropped) == (True, landed, ())
    assert len(things.raw["snapshots"]) == (8 if later else 7)
    assert things.ids() == sorted([*ALL, *([7] if later else [])])


def test_nothing_is_deleted_while_the_outcome_is_unknown(
    things: Things, monkeypatch: pytest.MonkeyPatch
):
    """The server may be at it still: the commit lands when we have gone."""
    plan = plan_all(NAME, things.pointer)
    rewritten, pointer = rewrite_all(plan), things.pointer
    real, late = publishing.publish, list[Callable[[], object]]()

    def lost(catalog: Catalog, *given: object, **more: object) -> None:
        late.append(lambda: real(catalog, *given, **more))  # pyright: ignore[reportArgumentType]
        more["before_swap"]()  # pyright: ignore[reportCallIssue]
        raise OutcomeUnknownError("the catalog broke off", hint="wait")

    monkeypatch.setattr(publishing, "publish", lost)
    with pytest.raises(OutcomeUnknownError, match="broke off"):
        commit(around(things.lake.catalog), plan, rewritten)
    assert things.pointer == pointer
    assert all(path.exists() for path in written(rewritten))
    late[0]()
    assert things.pointer != pointer
    assert things.ids() == ALL


def test_a_broken_answer_of_the_api_is_resolved(things: Things, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(publishing, "publish", iceberg_publish._publish_through_api)
    real = type(things.lake.catalog).commit_table

    def lost(*given: object) -> None:
        real(*given)  # pyright: ignore[reportArgumentType]
        raise CommitStateUnknownException("504")

    monkeypatch.setattr(type(things.lake.catalog), "commit_table", lost)
    done = compact(things.lake.catalog, NAME)
    assert things.raw["current-snapshot-id"] == done.snapshot_id
    assert things.ids() == ALL


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_a_durable_step(tmp_path: Path, step: str):
    """No row is lost or twice, every named file is there, and the same work succeeds again."""

    def prepare(_: Moments) -> None:
        with Lake(tmp_path) as lake:
            Things(lake).make().delete_positions(3, part="a")

    def work(moments: Moments) -> None:
        def failpoint(at: str) -> None:
            if at == step:
                os.kill(os.getpid(), signal.SIGKILL)

        with Lake(tmp_path) as lake:
            plan = plan_all(NAME, Things(lake).pointer)
            moments.first_write()
            commit(around(lake.catalog, failpoint=failpoint), plan, rewrite_all(plan))

    def again(_: Moments) -> None:
        with Lake(tmp_path) as lake:
            things = Things(lake)
            expected = [n for n in ALL if n != 3]
            assert things.ids() == expected
            has_landed = len(things.raw["snapshots"]) == 8
            assert has_landed == (step in ("committed", "proven"))
            check_files(things.table)
            compact(lake.catalog, NAME)
            assert things.ids() == expected
            things.check_totals()

    must_run(prepare)
    assert run_child(work).killed
    must_run(again)
