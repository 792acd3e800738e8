"""Which snapshots a rollback gives up, and what it changes."""

from typing import Any

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.rollback import plan_rollback, rolled_back

TABLE = TableId("raw", "flights")


def snapshot(number: int, parent: int | None, rows: int) -> dict[str, Any]:
    return {
        "snapshot-id": number,
        "parent-snapshot-id": parent,
        "timestamp-ms": number,
        "summary": {"total-records": str(rows)},
    }


METADATA: dict[str, Any] = {
    "current-snapshot-id": 3,
    "snapshots": [snapshot(1, None, 10), snapshot(2, 1, 20), snapshot(3, 2, 5), snapshot(4, 1, 7)],
    "snapshot-log": [{"snapshot-id": 3, "timestamp-ms": 3}],
    "refs": {"main": {"snapshot-id": 3, "type": "branch", "max-ref-age-ms": 9}, "tag": {"x": 1}},
}


def test_says_what_goes_out_of_sight():
    plan = plan_rollback(TABLE, METADATA, 1)
    assert plan.given_up == (3, 2)
    assert (plan.head, plan.head_rows, plan.target_rows) == (3, 5, 10)


def test_a_snapshot_beside_will_do():
    assert plan_rollback(TABLE, METADATA, 4).given_up == (3, 2)


@pytest.mark.parametrize(("target", "said"), [(9, "no snapshot 9"), (3, "at snapshot 3 already")])
def test_refuses(target: int, said: str):
    with pytest.raises(ConfigurationError, match=said):
        plan_rollback(TABLE, METADATA, target)


def test_only_main_moves():
    after = rolled_back(METADATA, 1, at_ms=50)
    assert after["current-snapshot-id"] == 1
    assert after["refs"]["main"] == {"snapshot-id": 1, "type": "branch", "max-ref-age-ms": 9}
    assert after["refs"]["tag"] == {"x": 1}
    assert after["snapshots"] == METADATA["snapshots"]
    assert after["snapshot-log"][-1] == {"snapshot-id": 1, "timestamp-ms": 50}
    assert after["last-updated-ms"] == 50
