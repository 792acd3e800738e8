"""Other writers, lost races, kills and wrong manifests: what is left in the table."""

import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from dp_assets.adapters import iceberg_publish
from dp_assets.adapters.maintenance import manifest_merging, manifest_writing
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.usecases.maintenance import manifest_attempts, publishing
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import check_files, manifests
from dp_assets_tests.faults.forking import Moments, must_run, run_child
from dp_assets_tests.usecases.maintenance.compacting import compact
from dp_assets_tests.usecases.maintenance.manifest_rewrites import (
    check_lines,
    leftovers,
    planned,
    rewrite,
)
from dp_assets_tests.usecases.maintenance.things import NAME, Things, rows

STEPS = (
    "manifests-written",
    "manifests-proven",
    "files-written",
    "metadata-written",
    "committed",
)
ALL = [*range(1, 7), *range(11, 17)]


@pytest.fixture
def things(tmp_path: Path) -> Generator[Things, None, None]:
    with Lake(tmp_path) as lake:
        yield Things(lake).make()


@pytest.fixture(params=["sql", "api"])
def any_publish(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to move the pointer: our compare-and-swap, and PyIceberg's ``commit_table``."""
    if request.param == "api":
        monkeypatch.setattr(publishing, "publish", iceberg_publish._publish_through_api)
    return str(request.param)


def once(step: str, does: Callable[[], object]) -> Callable[[str], None]:
    todo = [does]

    def failpoint(at: str) -> None:
        if at == step and todo:
            todo.pop()()

    return failpoint


def test_an_append_meanwhile_costs_no_second_rewrite(
    things: Things, any_publish: str, monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []
    monkeypatch.setattr(
        manifest_merging.NewManifest, "write", _noted(manifest_merging.NewManifest.write, made)
    )
    append = once("metadata-written", lambda: things.table.append(rows("a", [7])))
    done = rewrite(things.lake, failpoint=append)
    assert (done.attempts, done.created, len(made)) == (2, 1, 1)
    assert things.ids() == sorted([*ALL, 7])
    assert len(manifests(things.table)) == 2
    assert check_lines(things.table, done.snapshot_id) == 1
    things.check_totals()
    assert leftovers(things) <= {".json"}
    assert things.raw["snapshots"][-1]["snapshot-id"] == done.snapshot_id


def _noted(real: Callable[..., Record], made: list[str]) -> Callable[..., Record]:
    def write(*given: object) -> Record:
        line = real(*given)
        made.append(line["manifest_path"])
        return line

    return write


def delete(things: Things) -> None:
    things.table.delete("id in (3, 4)")


def roll_back(things: Things) -> None:
    parent = things.raw["snapshots"][-2]["snapshot-id"]
    things.table.manage_snapshots().rollback_to_snapshot(parent).commit()


LANDED = {
    "delete": (delete, [n for n in ALL if n not in (3, 4)]),
    "position-delete": (
        lambda t: t.delete_positions(3, part="a"),
        [n for n in ALL if n != 3],
    ),
    "overwrite": (lambda t: t.table.overwrite(rows("a", [7]), "part = 'a'"), [7, *ALL[6:]]),
    "rollback": (roll_back, ALL[:10]),
    "compaction": (lambda t: compact(t.lake.catalog, NAME), ALL),
    "rewrite": (lambda t: rewrite(t.lake), ALL),
}


@pytest.mark.parametrize("name", LANDED)
def test_another_writer_between_plan_and_commit(things: Things, name: str):
    does, ids = LANDED[name]
    done = rewrite(things.lake, failpoint=once("metadata-written", lambda: does(things)))
    assert things.ids() == ids
    assert done.attempts == 2
    # A compaction has merged the manifests itself.
    assert (done.snapshot_id is None) == (name in ("compaction", "rewrite"))
    things.check_totals()
    check_files(things.table)
    assert leftovers(things) <= {".json", ".parquet"}
    check_lines(things.table, done.snapshot_id)


def test_what_was_planned_is_planned_again(things: Things):
    plan = planned(things.lake.catalog)
    delete(things)
    assert rewrite(things.lake, plan=plan).attempts == 1
    assert things.ids() == [n for n in ALL if n not in (3, 4)]


def test_lost_races_give_up_and_clean_up(things: Things, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(manifest_attempts, "ATTEMPTS", 3)
    number = iter(range(100, 200))

    def race(step: str) -> None:
        if step == "metadata-written":
            things.table.append(rows("a", [next(number)]))

    with pytest.raises(TransientError, match=r"commit to raw\.things"):
        rewrite(things.lake, failpoint=race)
    assert things.ids() == [*ALL, 100, 101, 102]
    assert leftovers(things) <= {".json"}


def test_a_lost_lease_shows_nothing_and_cleans_up(things: Things):
    pointer = things.pointer

    def lost() -> None:
        raise TransientError("the lease is lost", hint="run it again")

    with pytest.raises(TransientError, match="lease is lost"):
        rewrite(things.lake, guard=lost)
    assert things.pointer == pointer
    assert leftovers(things) <= {".json"}


def test_a_foreign_table_and_another_one_are_not_changed(things: Things):
    plan = planned(things.lake.catalog)
    things.edit(lambda raw: raw.update(properties={ADOPTED: "false"}))
    with pytest.raises(PermanentError, match="foreign"):
        rewrite(things.lake, plan=plan)
    things.lake.catalog.drop_table(NAME.identifier)
    things.make()
    pointer = things.pointer
    with pytest.raises(PermanentError, match="made again"):
        rewrite(things.lake, plan=plan)
    assert things.pointer == pointer


def test_a_full_disk_leaves_nothing(things: Things, monkeypatch: pytest.MonkeyPatch):
    pointer = things.pointer

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for module, name in ((manifest_merging, "stage_snapshot"), (manifest_writing, "write_file")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, full)
            with pytest.raises((TransientError, PermanentError), match="no space left"):
                rewrite(things.lake)
    assert things.pointer == pointer
    assert leftovers(things) == set()


def test_killed_after_each_durable_step(tmp_path: Path):
    """No row is lost or twice, every named file is there, and the same work succeeds again."""

    def prepare(_: Moments) -> None:
        with Lake(tmp_path) as lake:
            Things(lake).make().delete_positions(3, part="a")

    def work(step: str) -> Callable[[Moments], None]:
        def killed(_: Moments) -> None:
            def failpoint(at: str) -> None:
                if at == step:
                    os.kill(os.getpid(), signal.SIGKILL)

            with Lake(tmp_path) as lake:
                rewrite(lake, failpoint=failpoint)

        return killed

    def check(has_landed: bool) -> Callable[[Moments], None]:
        def checked(_: Moments) -> None:
            with Lake(tmp_path) as lake:
                things = Things(lake)
                assert things.ids() == [n for n in ALL if n != 3]
                assert len(things.raw["snapshots"]) == (8 if has_landed else 7)
                assert planned(lake.catalog).is_empty == has_landed
                check_files(things.table)

        return checked

    must_run(prepare)
    *before, committed = STEPS
    for step in before:
        assert run_child(work(step)).killed
    must_run(check(False))
    assert run_child(work(committed)).killed
    must_run(check(True))
