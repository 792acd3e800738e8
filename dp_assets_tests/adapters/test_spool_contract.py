"""What holds for every spool, the fake included."""

from pathlib import Path

import pytest

from dp_assets.adapters.spool import FolderSpool
from dp_assets.core.ids import TableId
from dp_assets.ports.spool import Spool
from dp_assets_tests.fakes.spool import MemorySpool

RESULTS, ODD = TableId("ops", "results"), TableId("a.b/../c", "größe %2E")


@pytest.fixture(params=["folder", "memory"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return FolderSpool(tmp_path / "spool") if request.param == "folder" else MemorySpool()


def test_empty(spool: Spool):
    spool.add(RESULTS, [])
    assert spool.tables() == ()
    assert spool.pending(RESULTS) == ()
    assert spool.read([]) == []


def test_rows_come_back_exactly_and_in_order(spool: Spool):
    first = [{"a": 'line\n"quote" ü\u2028', "b": None}, {"a": "", "b": 2**63 - 1}]
    second = [{"b": 0.1, "c": True}, {"b": float("inf"), "c": False}]
    spool.add(RESULTS, first)
    spool.add(RESULTS, second)
    pending = spool.pending(RESULTS)
    assert [batch.rows_count for batch in pending] == [2, 2]
    assert len({batch.name for batch in pending}) == 2
    assert spool.read(pending) == [*first, *second]
    assert spool.read(pending[1:]) == second


def test_tables_are_apart_whatever_their_names(spool: Spool):
    spool.add(RESULTS, [{"a": 1}])
    spool.add(ODD, [{"a": 2}])
    assert spool.tables() == tuple(sorted((RESULTS, ODD)))
    assert spool.read(spool.pending(ODD)) == [{"a": 2}]


def test_discarded_are_gone_also_twice_and_the_others_stay(spool: Spool):
    for number in range(3):
        spool.add(RESULTS, [{"a": number}])
    first, *others = spool.pending(RESULTS)
    spool.discard([first])
    spool.discard([first])
    assert list(spool.pending(RESULTS)) == others
    spool.discard(others)
    assert spool.tables() == ()


def test_set_aside_does_not_wait_any_more(spool: Spool):
    spool.add(RESULTS, [{"a": 1}])
    spool.set_aside(spool.pending(RESULTS)[0], reason="no such column")
    assert spool.pending(RESULTS) == ()
    assert spool.tables() == ()
