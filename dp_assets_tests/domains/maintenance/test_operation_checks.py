import pytest

from dp_assets.domains.maintenance.operation_checks import CHECKS, OperationCheck, lost_refs
from dp_assets.ports.maintenance import Operation

TAG = {"snapshot-id": 1, "type": "tag"}
BRANCH = {"snapshot-id": 2, "type": "branch", "min-snapshots-to-keep": 3}


def table(*snapshots, head=2, **refs):
    return {
        "snapshots": [{"snapshot-id": one} for one in snapshots],
        "current-snapshot-id": head,
        "refs": refs,
    }


BEFORE = table(1, 2, main={"snapshot-id": 2, "type": "branch"}, t=TAG, b=BRANCH)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ()),
        ({"new": TAG}, ()),
        ({"t": None}, ("tag t is gone",)),
        ({"b": None}, ("branch b is gone",)),
        ({"t": {**TAG, "snapshot-id": 2}}, ("tag t is not as it was",)),
        ({"b": {"snapshot-id": 2, "type": "branch"}}, ("branch b is not as it was",)),
    ],
)
def test_what_happened_to_a_ref(change, said):
    refs = {"main": {"snapshot-id": 3, "type": "branch"}, "t": TAG, "b": BRANCH, **change}
    after = table(1, 2, 3, head=3, **{name: ref for name, ref in refs.items() if ref})
    assert lost_refs(BEFORE, after, own=3) == said


def test_main_moves_to_the_own_snapshot_and_nowhere_else():
    after = table(1, 2, 3, head=3, main={"snapshot-id": 3, "type": "branch"}, t=TAG, b=BRANCH)
    assert lost_refs(BEFORE, after, own=3) == ()
    assert lost_refs(BEFORE, after, own=4) == ("branch main is not as it was",)
    assert lost_refs(BEFORE, after, own=None) == ("branch main is not as it was",)


def test_a_ref_to_a_snapshot_that_is_gone_is_lost():
    after = table(2, main={"snapshot-id": 2, "type": "branch"}, t=TAG, b=BRANCH)
    assert lost_refs(BEFORE, after, own=None) == ("the snapshot of tag t is gone",)


def test_only_what_is_past_its_age_may_go():
    after = table(2, main={"snapshot-id": 2, "type": "branch"}, b=BRANCH)
    assert lost_refs(BEFORE, after, own=None, expired=frozenset({"t"})) == ()
    assert lost_refs(BEFORE, after, own=None, expired=frozenset({"b"})) == ("tag t is gone",)


def test_version_1_has_a_current_snapshot_and_no_refs():
    before = {"snapshots": [{"snapshot-id": 7}], "current-snapshot-id": 7}
    after = {"snapshots": [{"snapshot-id": 7}, {"snapshot-id": 8}], "current-snapshot-id": 8}
    assert lost_refs(before, after, own=8) == ()
    assert lost_refs(before, {**after, "current-snapshot-id": -1}, own=8) == (
        "branch main is gone",
    )


def test_every_operation_is_checked_and_every_check_used():
    assert set(CHECKS) == set(Operation)
    assert all(OperationCheck.CLOSURE in checks for checks in CHECKS.values())
    assert {check for checks in CHECKS.values() for check in checks} == set(OperationCheck)
