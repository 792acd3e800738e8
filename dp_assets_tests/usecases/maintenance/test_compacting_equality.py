"""A table with equality deletes, compacted for real while another writer goes on.

What it deletes after the plan still applies afterwards, and what was applied is gone.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.domains.maintenance.heads import head_of
from dp_assets_tests.adapters.maintenance.rewriting import rewritten
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.maintenance.compacting import around, closure_of, commit
from dp_assets_tests.usecases.maintenance.things import NAME, Things, rows

B = list(range(11, 17))


@pytest.fixture
def things(tmp_path: Path) -> Generator[Things, None, None]:
    """1 to 6 in a, 3 deleted and inserted again, 5 deleted; 11 to 16 in b."""
    with Lake(tmp_path) as lake:
        made = Things(lake).make()
        made.delete_equal(3, 5, part="a")
        made.table.append(rows("a", [3], note="again"))
        yield made


def test_what_landed_after_the_plan_holds(things: Things):
    """Deletes of keys, of one once more; an upsert; a deleted key inserted; all after the plan."""
    planned = rewritten(things.pointer, things.lake.folder, name=str(NAME))
    things.delete_equal(3, 4, part="a")
    things.table.append(rows("a", [4], note="upserted"))
    things.table.append(rows("a", [5]))
    things.delete_equal(12, part="b")
    done = commit(around(things.lake.catalog), planned.plan, list(planned.groups))
    assert (len(done.groups), done.dropped) == (2, ())
    assert things.rows() == [
        ("a", 1, "first"),
        ("a", 2, "first"),
        ("a", 4, "upserted"),
        ("a", 5, "first"),
        ("a", 6, "first"),
        *(("b", number, "first") for number in B if number != 12),
    ]
    live = head_of(closure_of(things.pointer)).deletes
    assert [one.entry.records for one in live] == [2, 1]
    things.check_totals()


def test_a_row_deleted_by_its_place_stays_deleted(things: Things):
    """Its group is not committed, so what its files need stays with them."""
    planned = rewritten(things.pointer, things.lake.folder, name=str(NAME))
    things.delete_positions(4, part="a")
    done = commit(around(things.lake.catalog), planned.plan, list(planned.groups))
    assert [one.group.words for one in done.groups] == ["part=b"]
    assert ["position delete" in one.reason for one in done.dropped] == [True]
    assert things.ids() == [1, 2, 3, 6, *B]
    assert len(head_of(closure_of(things.pointer)).deletes) == 2
    things.check_totals()


def test_the_next_compaction_takes_the_newer_deletes(things: Things):
    for number in (4, 6):
        found = rewritten(things.pointer, things.lake.folder, name=str(NAME))
        things.delete_equal(number, part="a")
        commit(around(things.lake.catalog), found.plan, list(found.groups))
    found = rewritten(things.pointer, things.lake.folder, name=str(NAME))
    commit(around(things.lake.catalog), found.plan, list(found.groups))
    assert things.ids() == [1, 2, 3, *B]
    assert things.table.scan().to_arrow().num_rows == 9  # PyIceberg reads it again
