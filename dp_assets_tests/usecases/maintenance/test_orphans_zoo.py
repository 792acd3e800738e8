"""Every table that Spark wrote, of versions 1 to 3: no file of theirs is an orphan."""

from pathlib import Path

import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.closure import one_spelling
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    closure_of,
    pointer_of,
)
from dp_assets_tests.usecases.maintenance.orphans import made_old, plant, run_sweep, search
from dp_assets_tests.usecases.maintenance.test_expiring_zoo import House, house
from dp_assets_tests.zoo import TABLES

__all__ = ["house"]  # fixture


@pytest.mark.parametrize("name", TABLES)
def test_only_what_was_planted_goes(house: House, name: str):
    table = TableId("zoo", name)
    with opened(house.settings) as lake:
        named = {Path(one_spelling(f.path)) for f in closure_of(pointer_of(lake, table)).files}
        before = {made_old(path): path.read_bytes() for path in named}
        assert search(lake, name=table).files == ()
        planted = {plant(lake, below, name=table) for below in ("data/x", "metadata/x-m0.avro")}
        record = run_sweep(lake, name=table)
        assert {Path(one_spelling(file.path)) for file in record.files} == planted
        empty_trash(lake, now_ms=now_ms(), at_once=True)
        assert not any(path.exists() for path in planted)
        assert {path: path.read_bytes() for path in named} == before
