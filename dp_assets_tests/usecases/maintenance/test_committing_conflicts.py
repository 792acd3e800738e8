"""What another writer does between plan and commit, and what becomes of the compaction.

Each case happens once right after the plan was rewritten, and once between our last file and our
swap: then the first attempt is lost, and the second one must see it.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyiceberg.transforms import BucketTransform
from pyiceberg.types import LongType

from dp_assets.usecases.maintenance.commit_attempts import Committed
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import path_of
from dp_assets_tests.usecases.maintenance.compacting import (
    around,
    commit,
    compact,
    plan_all,
    rewrite_all,
    written,
)
from dp_assets_tests.usecases.maintenance.things import NAME, Things, rows

WHEN = ("planned", "swapping")
A, B = list(range(1, 7)), list(range(11, 17))
GONE, DELETED, AGAIN = "is gone", r"deleted since \(position", "added again"


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """A real lakehouse without tables."""
    with Lake(tmp_path) as opened:
        yield opened


@dataclass(frozen=True)
class Landed:
    """What another writer does, and which partitions are compacted all the same.

    Attributes:
        ids: in the table afterwards.
        why: reason of those that are not compacted.
    """

    does: Callable[[Things], object]
    compacted: str = "ab"
    ids: tuple[int, ...] = (*A, *B)
    why: str = ""


def without(*numbers: int) -> tuple[int, ...]:
    return tuple(n for n in (*A, *B) if n not in numbers)


def run(things: Things, does: Callable[[Things], object], *, when: str) -> Committed:
    plan = plan_all(NAME, things.pointer)
    rewritten = rewrite_all(plan)
    todo = [does]

    def failpoint(step: str) -> None:
        if todo and step == "metadata-written":
            todo.pop()(things)

    if when == "planned":
        todo.pop()(things)
    done = commit(around(things.lake.catalog, failpoint=failpoint), plan, rewritten)
    assert not todo
    return done


def widen(things: Things) -> None:
    with things.table.update_schema() as update:
        update.add_column("more", LongType())


def evolve(things: Things) -> None:
    with things.table.update_spec() as update:
        update.add_field("id", BucketTransform(4), "bucket")


def evolve_and_append(things: Things) -> None:
    evolve(things)
    things.table.append(rows("a", [7]))


def tag(things: Things) -> None:
    head = things.table.current_snapshot()
    assert head
    things.table.manage_snapshots().create_tag(head.snapshot_id, "kept").commit()


def branch(things: Things) -> None:
    head = things.table.current_snapshot()
    assert head
    things.table.manage_snapshots().create_branch(head.snapshot_id, "other").commit()
    things.table.append(rows("a", [99]), branch="other")


def insert_again(things: Things) -> None:
    things.delete_equal(3, part="a")
    things.table.append(rows("a", [3], note="again"))


def delete_what_is_new(things: Things) -> None:
    things.table.append(rows("a", [7, 8]))
    things.delete_positions(7, part="a", bounds=False)


def delete_then_append(things: Things) -> None:
    things.delete_positions(3, part="a")
    things.table.append(rows("a", [7]))


def delete_then_delete_elsewhere(things: Things) -> None:
    things.delete_positions(3, part="a")
    things.table.append(rows("b", [17]))
    things.delete_positions(17, part="b")


def remove_and_add_again(things: Things) -> None:
    path = things.file_of(3)
    kept = path_of(path).read_bytes()
    things.table.delete("id in (3, 4)")
    path_of(path).write_bytes(kept)
    things.table.add_files([path], check_duplicate_files=False)


LANDED = {
    "append": Landed(lambda t: t.table.append(rows("a", [7])), ids=(*A, 7, *B)),
    "schema": Landed(widen),
    "spec": Landed(evolve),
    "spec-and-append": Landed(evolve_and_append, ids=(*A, 7, *B)),
    "tag": Landed(tag),
    "branch": Landed(branch),
    "equality-delete": Landed(lambda t: t.delete_equal(3, part="a"), ids=without(3)),
    "equality-delete-and-insert": Landed(insert_again),
    "delete-in-an-appended-file": Landed(delete_what_is_new, ids=(*A, 8, *B)),
    "position-delete": Landed(lambda t: t.delete_positions(3, part="a"), "b", without(3), DELETED),
    "position-delete-without-bounds": Landed(
        lambda t: t.delete_positions(3, part="a", bounds=False), "b", without(3), DELETED
    ),
    "resurrection-by-an-append": Landed(delete_then_append, "b", (*without(3), 7), DELETED),
    "resurrection-by-a-delete": Landed(delete_then_delete_elsewhere, "b", without(3), DELETED),
    "copy-on-write-delete": Landed(lambda t: t.table.delete("id = 3"), "b", without(3), GONE),
    "overwrite": Landed(
        lambda t: t.table.overwrite(rows("a", [7]), "part = 'a'"), "b", (7, *B), GONE
    ),
    "remove-and-add-again": Landed(remove_and_add_again, "b", why=AGAIN),
    "another-compaction": Landed(lambda t: compact(t.lake.catalog, NAME), "", why=GONE),
}


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", LANDED)
def test_a_commit_between_plan_and_commit(lake: Lake, name: str, when: str):
    case, things = LANDED[name], Things(lake).make()
    done = run(things, case.does, when=when)
    assert {one.group.partition for one in done.groups} == {_partition(p) for p in case.compacted}
    assert things.ids() == sorted(case.ids)
    for dropped in done.dropped:
        assert re.search(case.why, dropped.reason)
    assert all(path.exists() for path in written(done.groups))
    assert not any(path.exists() for path in written(d.rewritten for d in done.dropped))
    if case.compacted:
        things.check_totals()


def _partition(part: str) -> str:
    return f'{{"part":"{part}"}}'
