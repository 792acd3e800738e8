"""A rollback that was planned, and what others do to the table before it is carried out."""

from pathlib import Path

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.lakehouse import opened
from dp_assets.usecases.rolling_back import planned_rollback, roll_back
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    lakehouse,
    overwrite,
    pointer_of,
    run_expiry,
    snapshots_of,
)


def test_its_snapshot_may_have_expired_since(tmp_path: Path):
    """A head that is no snapshot would read as an empty table."""
    with opened(lakehouse(tmp_path)) as lake:
        planned = planned_rollback(lake, str(TABLE), snapshots_of(lake)[2])
        run_expiry(lake)
        before = pointer_of(lake)
        with pytest.raises(TransientError, match="expired meanwhile"):
            roll_back(lake, planned)
        assert pointer_of(lake) == before
        rows = lake.catalog.load_table(TABLE.identifier).scan().to_arrow()
        assert sorted(rows["id"].to_pylist()) == [50, 51, 52, 53, 54]


def test_the_table_may_have_a_new_snapshot_since(tmp_path: Path):
    with opened(lakehouse(tmp_path)) as lake:
        planned = planned_rollback(lake, str(TABLE), snapshots_of(lake)[2])
        overwrite(lake, 100)
        before = pointer_of(lake)
        with pytest.raises(TransientError, match="new snapshot since"):
            roll_back(lake, planned)
        assert pointer_of(lake) == before
