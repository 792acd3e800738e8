"""What follows when files vanish while they are copied."""

import pytest

from dp_assets.core.ids import TableId
from dp_assets.domains.backup.cut import MAX_RESTARTS, after_pass

A, B, C = (TableId("raw", name) for name in "abc")


def test_nothing_vanished_nothing_to_do():
    judged = after_pass({}, {}, restarts=0)
    assert (judged.is_done, judged.restart, judged.damaged) == (True, False, ())


def test_a_pointer_that_still_stands_means_damage_and_no_restart():
    judged = after_pass({A: "1.json"}, {A: "1.json"}, restarts=0)
    assert (judged.damaged, judged.moved, judged.restart) == ((A,), (), False)


@pytest.mark.parametrize("now", ["2.json", None], ids=["moved", "dropped"])
@pytest.mark.parametrize(
    ("restarts", "again"), [(0, True), (MAX_RESTARTS - 1, True), (MAX_RESTARTS, False)]
)
def test_a_pointer_that_moved_means_a_new_cut_a_few_times(now, restarts, again):
    judged = after_pass({A: "1.json"}, {A: now}, restarts=restarts)
    assert (judged.damaged, judged.moved, judged.restart) == ((), (A,), again)
    assert not judged.is_done


def test_every_vanished_table_is_judged_once():
    judged = after_pass(
        {C: "1.json", A: "1.json", B: "1.json"}, {A: "1.json", B: "2.json", C: "2.json"}, restarts=0
    )
    assert (judged.damaged, judged.moved) == ((A,), (B, C))
