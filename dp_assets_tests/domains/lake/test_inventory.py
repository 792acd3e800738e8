import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.inventory import (
    apply_inventory,
    new_heads,
    partition_names,
    plan_inventory,
    pointers_digest,
)
from dp_assets.ports.inventory import Inventory, TableFacts

LIMITS = {"max_gone_share": 0.10, "max_gone_tables": 3}
A, B, C, D = (TableId("raw", name) for name in "abcd")


def known(**pointers: str) -> Inventory:
    ids = {TableId("raw", name): pointer for name, pointer in pointers.items()}
    return Inventory({t: TableFacts(t, p, uuid=f"u-{t.name}") for t, p in ids.items()})


def many(count: int) -> dict[TableId, str]:
    return {TableId("raw", f"t{i:03}"): "p" for i in range(count)}


def test_every_table_is_in_exactly_one_part_of_the_plan():
    plan = plan_inventory(known(a="1", b="1", c="1"), {A: "1", B: "2", D: "1"}, **LIMITS)
    assert (plan.added, plan.gone, plan.moved, plan.unchanged) == ((D,), (C,), (B,), (A,))
    assert plan.to_read == (D, B)


def test_without_an_earlier_sweep_everything_is_new():
    assert plan_inventory(None, {B: "1", A: "1"}, **LIMITS).added == (A, B)


def test_a_table_that_could_not_be_read_is_tried_again():
    broken = Inventory({A: TableFacts(A, "1", problem="empty")})
    plan = plan_inventory(broken, {A: "1"}, **LIMITS)
    assert (plan.unchanged, plan.unread, plan.to_read) == ((), (A,), (A,))


@pytest.mark.parametrize(
    ("before", "after", "allow_gone"),
    [
        pytest.param(0, 0, 0, id="an-empty-lake-stays-empty"),
        pytest.param(10, 7, 0, id="three-of-ten-is-a-large-share-of-few"),
        pytest.param(100, 90, 0, id="ten-percent-is-allowed"),
        pytest.param(100, 89, 11, id="confirmed-by-a-person"),
        pytest.param(4, 0, 4, id="all-gone-confirmed"),
    ],
)
def test_losses_to_believe(before, after, allow_gone):
    previous = Inventory({t: TableFacts(t, p) for t, p in many(before).items()})
    plan = plan_inventory(previous, many(after), **LIMITS, allow_gone=allow_gone)
    assert len(plan.gone) == before - after


@pytest.mark.parametrize(
    ("before", "after", "allow_gone", "said"),
    [
        pytest.param(1, 0, 0, "1 of 1 tables are gone at once.*is empty", id="empty-listing"),
        pytest.param(10, 6, 0, "4 of 10.*lacks raw.t006, raw.t007", id="four-of-ten"),
        pytest.param(100, 89, 0, "11 of 100.* and 6 more", id="eleven-percent"),
        pytest.param(100, 89, 10, "allow_gone: 11", id="confirmed-fewer"),
    ],
)
def test_losses_not_to_believe(before, after, allow_gone, said):
    previous = Inventory({t: TableFacts(t, p) for t, p in many(before).items()})
    with pytest.raises(PermanentError, match=f"(?s){said}"):
        plan_inventory(previous, many(after), **LIMITS, allow_gone=allow_gone)


def test_applying_reads_what_moved_keeps_the_rest_and_forgets_what_is_gone():
    previous, read = known(a="1", b="1", c="1"), []

    def facts(table: TableId) -> TableFacts:
        read.append(table)
        return TableFacts(table, "2", uuid=f"u-{table.name}", rows=7)

    now = {A: "1", B: "2", D: "2"}
    swept = apply_inventory(plan_inventory(previous, now, **LIMITS), previous, read=facts, now_ms=9)
    assert read == [D, B]
    assert swept.pointers == now
    assert swept.tables[A] is previous.tables[A]
    assert list(swept.tables) == [A, B, D]
    assert swept.swept_at_ms == 9
    assert [life.table for life in swept.history] == [A, B, D]


def test_a_new_head_is_a_new_snapshot_not_a_new_pointer():
    before = Inventory(
        {A: TableFacts(A, "1", head_snapshot_id=1), B: TableFacts(B, "1", head_snapshot_id=1)}
    )
    after = Inventory(
        {
            A: TableFacts(A, "2", head_snapshot_id=1),
            B: TableFacts(B, "2", head_snapshot_id=2),
            C: TableFacts(C, "1"),
            D: TableFacts(D, "1", head_snapshot_id=5),
        }
    )
    assert [f.table for f in new_heads(before, after)] == [B, D]


def test_the_digest_sees_names_and_pointers_but_not_commits_to_our_own_tables():
    ops = TableId("ops", "journal")
    digest = pointers_digest({A: "1", ops: "1"})
    assert pointers_digest({ops: "2", A: "1"}) == digest
    assert pointers_digest({A: "2", ops: "1"}) != digest
    assert pointers_digest({A: "1"}) != digest
    assert pointers_digest({TableId("raw", "z"): "1", ops: "1"}) != digest


def test_a_name_no_partition_key_may_hold_is_left_out():
    odd = [TableId("raw", "größe"), TableId("raw", 'a b"c'), TableId("raw", "x\ty")]
    assert partition_names([*odd, TableId("raw", "..z")]) == {"raw.größe", 'raw.a b"c'}
