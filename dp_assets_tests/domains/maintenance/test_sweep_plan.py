import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, MIB
from dp_assets.domains.maintenance.sweep_plan import is_news, plan_sweep, swept, worst_first
from dp_assets.ports.health_state import HealthState, Measured, Unmeasured
from dp_assets_tests.domains.maintenance.healths import NOW_MS, table_with

A, B, C = (TableId("raw", name) for name in "abc")
OPS, OWN = TableId("ops", "journal"), TableId("ops", "table_health")


def measured(pointer: str, at_ms: int = NOW_MS):
    return table_with(pointer=pointer, at_ms=at_ms)


def plan(known: dict[TableId, Measured], now: dict[TableId, str], now_ms: int = NOW_MS + 1):
    return plan_sweep(HealthState(known), now, own=OWN, now_ms=now_ms)


def test_every_table_is_in_exactly_one_place():
    known = {A: measured("1"), B: measured("1"), C: measured("1"), OPS: measured("1")}
    found = plan(known, {A: "1", B: "2", OPS: "2", TableId("raw", "new"): "1"})
    assert found.measure == (B, TableId("raw", "new"))
    assert (found.later, found.unchanged, found.gone) == ((OPS,), (A,), (C,))


@pytest.mark.parametrize(
    ("age_ms", "due"), [(0, False), (DAY_MS - 1, False), (DAY_MS, True), (-1, True)]
)
def test_tables_of_ours_are_due_after_a_day_or_when_the_clock_was_set_back(age_ms, due):
    found = plan({OPS: measured("1")}, {OPS: "2"}, now_ms=NOW_MS + age_ms)
    assert found.measure == ((OPS,) if due else ())


@pytest.mark.parametrize("known", [{}, {OWN: measured("0", at_ms=0)}])
def test_the_table_of_the_rows_alone_is_no_reason(known):
    assert plan(known, {OWN: "1"}).is_idle
    assert plan(known, {OWN: "1", OPS: "1"}).measure == (OPS, OWN)


def test_what_could_not_be_read_is_tried_again():
    known = {A: Unmeasured(A, "1", NOW_MS, "empty")}
    assert plan(known, {A: "1"}).measure == (A,)


@pytest.mark.parametrize(
    ("before", "now", "news"),
    [
        (None, measured("1"), True),
        (None, Unmeasured(A, "1", 1, "x"), True),
        (Unmeasured(A, "1", 1, "x"), Unmeasured(A, "1", 2, "x"), False),
        (Unmeasured(A, "1", 1, "x"), Unmeasured(A, "1", 2, "y"), True),
        (Unmeasured(A, "1", 1, "x"), Unmeasured(A, "2", 2, "x"), True),
        (Unmeasured(A, "1", 1, "x"), measured("1"), True),
    ],
)
def test_the_same_problem_is_told_once(before, now, news):
    assert is_news(before, now) is news


def test_the_state_after_a_sweep():
    state = HealthState({A: measured("1"), B: measured("1"), C: measured("1")})
    found = plan_sweep(state, {A: "1", B: "2"}, own=OWN, now_ms=9)
    after = swept(state, found, {B: measured("2")}, now_ms=9)
    assert after == HealthState({A: measured("1"), B: measured("2")}, swept_at_ms=9)


def test_worst_first_and_then_by_name():
    bad = table_with(old_bytes=MIB)
    order = [table for table, _ in worst_first([(C, table_with()), (A, bad), (B, table_with())])]
    assert order == [A, B, C]
