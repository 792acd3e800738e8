"""Which folders a restore may make a lakehouse in."""

from pathlib import Path

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets_tests.usecases.backup.shops import make_shop, rows_in

LEFT = ("catalog.db", "catalog.db-journal", "catalog.db-wal", ".0123456789abcdef.tmp")


@pytest.mark.parametrize("name", LEFT)
def test_goes_on_in_a_folder_where_a_restore_was_killed_while_it_was_writing(
    name: str, tmp_path: Path
):
    shop = make_shop(tmp_path)
    (tmp_path / "new" / "state").mkdir(parents=True)
    (tmp_path / "new" / name).touch()
    shop.restore(shop.target())
    assert rows_in(shop.target()) == shop.rows


@pytest.mark.parametrize("name", ["catalog.db.bak", "notes.tmp", ".hidden", "orders.parquet"])
def test_refuses_a_folder_with_files_of_somebody(name: str, tmp_path: Path):
    (tmp_path / "warehouse").mkdir()
    (tmp_path / name).touch()
    with pytest.raises(ConfigurationError, match="not empty and no lakehouse"):
        find_target([str(tmp_path)], load_settings())
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse", name}
