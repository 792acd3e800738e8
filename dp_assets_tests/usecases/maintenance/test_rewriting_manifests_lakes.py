"""Manifests written anew in whole lakehouses: under the lease, on a disk and in a REST catalog."""

from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.maintaining import maintain, plan
from dp_assets.usecases.maintenance.rewriting_manifests import (
    planned_manifests,
    rewrite_manifests,
)
from dp_assets_tests.adapters.table_checks import manifests, path_of
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest
from dp_assets_tests.usecases.backup.backups import lakehouse
from dp_assets_tests.usecases.maintenance.things import NAME, SCHEMA, rows

COMMITS = 6


DISK = pytest.mark.parametrize("lake", ["disk"], indirect=True)


@pytest.fixture(params=["disk", "rest"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Lakehouse, None, None]:
    """With ``raw.things`` of six commits of a row."""
    if request.param == "disk":
        settings = lakehouse(tmp_path, tables=())
    else:
        rest: Rest = request.getfixturevalue("rest")
        settings = rest_settings(tmp_path / "lakehouse.yaml", rest)
        initialise(settings)
    with opened(settings) as found:
        found.catalog.create_namespace_if_not_exists("raw")
        table = found.catalog.create_table(NAME.identifier, SCHEMA, properties={ADOPTED: "true"})
        for number in range(COMMITS):
            table.append(rows("a", [number]))
        yield found


def ids(lake: Lakehouse) -> list[int]:
    found = lake.catalog.load_table(NAME.identifier).scan().to_arrow()
    return sorted(found["id"].to_numpy().tolist())


def append(lake: Lakehouse, number: int) -> None:
    lake.catalog.load_table(NAME.identifier).append(rows("a", [number]))


def test_it_commits_although_another_appends(lake: Lakehouse):
    todo = [lambda: append(lake, 7)]

    def failpoint(step: str) -> None:
        if step == "files-written" and todo:
            todo.pop()()

    planned = planned_manifests(lake, NAME)
    done = rewrite_manifests(lake, planned, run_id="run-1", failpoint=failpoint)
    assert (done.created, done.attempts) == (1, 2)
    assert ids(lake) == [*range(COMMITS), 7]
    assert len(manifests(lake.catalog.load_table(NAME.identifier))) == 2
    assert lake.leases.held() == ()
    lake.catalog.load_table(NAME.identifier).delete("id = 1")
    assert ids(lake) == [0, *range(2, COMMITS), 7]
    assert list(lake.settings.tmp_dir.iterdir()) == []


@DISK
def test_a_lease_that_is_taken_over_stops_it(lake: Lakehouse):
    """As after a pause longer than its expiry."""
    pointer = existing_pointer(lake.catalog, NAME)

    def failpoint(step: str) -> None:
        if step == "files-written":
            (lease,) = lake.leases.held()
            lake.leases.release(lease)
            lake.leases.acquire(lease.name, owner="another", ttl_ms=60_000, wait_ms=0)

    planned = planned_manifests(lake, NAME)
    with pytest.raises(TransientError, match="another"):
        rewrite_manifests(lake, planned, run_id="run-1", failpoint=failpoint)
    assert existing_pointer(lake.catalog, NAME) == pointer
    assert ids(lake) == list(range(COMMITS))


@DISK
def test_as_an_operation(lake: Lakehouse):
    planned = plan(lake, NAME, Operation.MANIFESTS, now_ms=now_ms())
    assert planned.has_work
    seen: list[int] = []
    attempt = maintain(lake, planned, run_id="run", on_bytes=seen.append)
    assert (attempt.outcome, seen) == (Outcome.DONE, [planned.bytes])
    assert attempt.before
    assert attempt.after
    assert (attempt.before["manifests"], attempt.after["manifests"]) == (COMMITS, 1)
    assert attempt.before["rewritten_bytes"] == planned.bytes > 0
    assert attempt.before["rows"] == attempt.after["rows"]
    again = plan(lake, NAME, Operation.MANIFESTS, now_ms=now_ms())
    assert maintain(lake, again, run_id="again").outcome is Outcome.NOTHING
    table = lake.catalog.load_table(NAME.identifier)
    table.transaction().set_properties({ADOPTED: "false"}).commit_transaction()
    with pytest.raises(PermanentError, match="foreign"):
        plan(lake, NAME, Operation.MANIFESTS, now_ms=now_ms())


@DISK
def test_the_lease_is_held_for_the_commit_alone(lake: Lakehouse):
    """Whoever has it meanwhile is not disturbed; nothing of ours is left when it stays taken."""
    planned, held = planned_manifests(lake, NAME), dict[str, int]()

    def failpoint(step: str) -> None:
        held[step] = len(lake.leases.held())

    taken = lake.leases.acquire(f"table/{NAME}", owner="another", ttl_ms=60_000, wait_ms=0)
    before = metadata_files(lake)
    short = lake.settings.leases.model_copy(update={"wait_seconds": 0})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lake, "settings", lake.settings.model_copy(update={"leases": short}))
        with pytest.raises(TransientError, match="another"):
            rewrite_manifests(lake, planned, run_id="run-1", failpoint=failpoint)
    assert list(held) == ["manifests-written", "manifests-proven"]
    assert metadata_files(lake) == before
    lake.leases.release(taken)
    rewrite_manifests(lake, planned, run_id="run-1", failpoint=failpoint)
    assert (held["manifests-proven"], held["files-written"]) == (0, 1)


def metadata_files(lake: Lakehouse) -> set[Path]:
    folder = path_of(existing_pointer(lake.catalog, NAME)).parent
    return set(folder.iterdir())


@DISK
def test_the_guard_of_the_run_is_asked(lake: Lakehouse):
    pointer = existing_pointer(lake.catalog, NAME)

    def lost() -> None:
        raise TransientError("another run maintains it", hint="wait")

    planned = planned_manifests(lake, NAME)
    with pytest.raises(TransientError, match="another run"):
        rewrite_manifests(lake, planned, run_id="run-1", guard=lost)
    assert existing_pointer(lake.catalog, NAME) == pointer
