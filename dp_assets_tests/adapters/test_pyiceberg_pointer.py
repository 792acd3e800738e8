"""Moving a pointer when the database breaks off: the row itself decides what happened."""

import sys
from collections.abc import Callable

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dp_assets.adapters import pyiceberg_pointer
from dp_assets.adapters.pyiceberg_pointer import existing_pointer, read_pointer, swap_pointer
from dp_assets.core.errors import OutcomeUnknownError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets_tests.adapters.orders import MONDAY, ORDERS, Lake, orders

BROKEN = OperationalError("UPDATE", {}, Exception("server closed the connection"))
NEW = "file:///elsewhere/00007-new.metadata.json"


class Breaking(Session):
    """A session whose next commit breaks off, after or before it took effect."""

    lands = False
    then_unreachable = False
    broken = False

    def commit(self) -> None:
        if self.lands:
            super().commit()
        type(self).broken = True
        raise BROKEN

    def scalars(self, *arguments: object, **options: object):
        if self.broken and self.then_unreachable:
            raise BROKEN
        return super().scalars(*arguments, **options)  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.fixture
def monday(lake: Lake) -> Lake:
    lake.put(MONDAY, [1])
    return lake


def swap_with(
    monkeypatch: pytest.MonkeyPatch, lake: Lake, *, lands: bool, then_unreachable: bool = False
) -> None:
    kind = type("Once", (Breaking,), {"lands": lands, "then_unreachable": then_unreachable})
    with monkeypatch.context() as patch:
        patch.setattr(pyiceberg_pointer, "Session", kind)
        swap_pointer(lake.catalog, ORDERS.table, old=lake.pointer(), new=NEW)


def test_moves_only_from_where_it_was_read(monday: Lake):
    old = monday.pointer()
    with pytest.raises(TransientError, match=r"commit to raw\.orders lost a race"):
        swap_pointer(monday.catalog, ORDERS.table, old="file:///stale.json", new=NEW)
    assert monday.pointer() == old
    swap_pointer(monday.catalog, ORDERS.table, old=old, new=NEW)
    assert monday.pointer() == NEW


def test_a_commit_whose_answer_was_lost_is_found(monday: Lake, monkeypatch: pytest.MonkeyPatch):
    swap_with(monkeypatch, monday, lands=True)
    assert monday.pointer() == NEW


def test_a_commit_that_broke_off_before_is_no_lost_race(
    monday: Lake, monkeypatch: pytest.MonkeyPatch
):
    old = monday.pointer()
    with pytest.raises(TransientError, match="server closed the connection"):
        swap_with(monkeypatch, monday, lands=False)
    assert monday.pointer() == old


def test_a_database_that_stays_away_leaves_the_outcome_unknown(
    monday: Lake, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(OutcomeUnknownError, match="does not answer") as raised:
        swap_with(monkeypatch, monday, lands=True, then_unreachable=True)
    assert "dp table raw.orders --history" in raised.value.hint
    assert monday.pointer() == NEW


def test_a_table_that_is_not_there_is_named(lake: Lake):
    assert read_pointer(lake.catalog, ORDERS.table) is None
    with pytest.raises(PermanentError, match=r"there is no table raw\.orders in catalog lake"):
        existing_pointer(lake.catalog, ORDERS.table)


def test_other_catalogs_are_asked_through_their_api(monday: Lake, monkeypatch: pytest.MonkeyPatch):
    expected = monday.pointer()
    monkeypatch.setattr(pyiceberg_pointer, "SqlCatalog", type("Other", (), {}))
    assert isinstance(monday.catalog, SqlCatalog)
    assert read_pointer(monday.catalog, ORDERS.table) == expected
    assert read_pointer(monday.catalog, TableId("raw", "none")) is None


class Overtaken(Session):
    """A session whose commit breaks off, and another engine commits before anybody can ask."""

    lands = False
    others: Callable[[], object]

    def commit(self) -> None:
        super().commit() if self.lands else self.rollback()
        self.others()
        raise BROKEN


def append_overtaken(
    monkeypatch: pytest.MonkeyPatch, lake: Lake, *, lands: bool, others: Callable[[], object]
) -> None:
    """Row 2 by our writer; ``others`` come right after, and our answer is lost."""
    kind = type("Once", (Overtaken,), {"lands": lands, "others": staticmethod(others)})
    writer = lake.writer()
    real, todo = pyiceberg_pointer.Session, [kind]

    def session(*given: object) -> Session:
        is_swap = todo and sys._getframe(1).f_code.co_name == "swap_pointer"
        return (todo.pop() if is_swap else real)(*given)  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patch:
        patch.setattr(pyiceberg_pointer, "Session", session)
        writer.append(ORDERS, orders(MONDAY, [2]), batches=("b",))
    assert not todo


@pytest.mark.parametrize("lands", [True, False])
def test_a_commit_that_another_one_followed_is_there_once(
    monday: Lake, monkeypatch: pytest.MonkeyPatch, lands: bool
):
    """Landed, it is found below the other one; lost, it is tried again on top of it."""
    append_overtaken(monkeypatch, monday, lands=lands, others=lambda: _append(monday, 3))
    assert monday.ids() == {MONDAY: [1, 2, 3]}


def test_what_the_others_do_not_tell_is_unknown(monday: Lake, monkeypatch: pytest.MonkeyPatch):
    """The log keeps one file only, and the snapshot has expired."""

    def others() -> None:
        _append(monday, 3)
        table = monday.table()
        with table.transaction() as change:
            change.set_properties({"write.metadata.previous-versions-max": "1"})
        ours = [s.snapshot_id for s in table.snapshots()][-2]
        monday.table().maintenance.expire_snapshots().by_id(ours).commit()

    with pytest.raises(OutcomeUnknownError, match="others have moved the table since"):
        append_overtaken(monkeypatch, monday, lands=True, others=others)
    assert monday.ids() == {MONDAY: [1, 2, 3]}


def _append(lake: Lake, number: int) -> None:
    lake.table().append(orders(MONDAY, [number]))
