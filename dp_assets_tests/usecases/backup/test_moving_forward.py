"""A pointer that an old dump set back, moved to the newest state; never to a doubtful one."""

import json
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.pyiceberg_pointer import swap_pointer
from dp_assets.core.errors import PermanentError
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings
from dp_assets.usecases.backup.moving_forward import Forward, move_forward, plan_forward
from dp_assets.usecases.backup.restore_journal import trash_journal
from dp_assets_tests.adapters.real_lakehouse import (
    ORDERS,
    make_lakehouse,
    metadata_files,
    pointer_of,
)
from dp_assets_tests.usecases.backup.damage import (
    check,
    closure_of,
    first_data_file,
    hashes,
    ids,
    warehouse,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """``raw.orders`` of four commits, its pointer at the second."""
    found = make_lakehouse(tmp_path, commits=4)
    with opened(found) as lake:
        older = metadata_files(found)[-3]
        assert isinstance(lake.catalog, SqlCatalog)
        swap_pointer(lake.catalog, ORDERS, old=pointer_of(found), new=f"file://{older}")
    return found


def forward(settings: Settings) -> Forward:
    with opened(settings) as lake:
        plan = plan_forward(lake, "raw.orders")
        move_forward(lake, plan)
        return plan


def test_it_goes_to_the_newest_and_changes_no_file(settings: Settings):
    assert len(ids(settings)) == 20
    before, old = hashes(warehouse(settings)), pointer_of(settings)
    newest = f"file://{metadata_files(settings)[-1]}"
    plan = forward(settings)
    assert (pointer_of(settings), plan.rows, len(plan.snapshots)) == (newest, 40, 2)
    assert len(ids(settings)) == 40
    assert hashes(warehouse(settings)) == before
    assert old in trash_journal(settings).read_text()
    assert check(settings, compare=False).findings == ()
    with pytest.raises(PermanentError, match="no metadata file newer"):
        forward(settings)


def test_two_files_of_one_number_are_not_chosen_between(settings: Settings):
    newest = metadata_files(settings)[-1]
    newest.with_name(f"{newest.name[:5]}-twin.metadata.json").write_bytes(newest.read_bytes())
    at = pointer_of(settings)
    with pytest.raises(PermanentError, match="nothing says which"):
        forward(settings)
    assert pointer_of(settings) == at


def test_another_history_is_not_taken(settings: Settings):
    newest = metadata_files(settings)[-1]
    metadata = json.loads(newest.read_text())
    newest.write_text(json.dumps({**metadata, "metadata-log": []}))
    with pytest.raises(PermanentError, match="does not build on"):
        forward(settings)


def test_another_tables_file_is_not_taken(settings: Settings):
    for file in metadata_files(settings)[-2:]:
        file.write_text(json.dumps({**json.loads(file.read_text()), "table-uuid": "another"}))
    assert check(settings, compare=False).findings == ()
    with pytest.raises(PermanentError, match="no metadata file newer"):
        forward(settings)


def test_a_state_that_is_not_whole_is_not_taken(settings: Settings):
    head = closure_of(settings).head
    first_data_file(settings).unlink()
    with pytest.raises(PermanentError, match="is not whole"):
        forward(settings)
    assert closure_of(settings).head == head


def test_a_clone_moves_nothing(settings: Settings):
    at = pointer_of(settings)
    with opened(settings) as lake:
        lake.catalog.update_namespace_properties("ops", updates={"dp.warehouse": "/elsewhere"})
    with pytest.raises(PermanentError, match="not lakehouse"):
        forward(settings)
    assert pointer_of(settings) == at
