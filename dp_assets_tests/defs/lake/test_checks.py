import dagster as dg
import pytest

from dp_assets import keys
from dp_assets.defs.lake.checks import partitions_equal_catalog


def check(lake) -> dg.AssetCheckResult:
    context = dg.build_asset_check_context(instance=lake.instance)
    return partitions_equal_catalog(context, house=lake.house)


@pytest.fixture
def swept(three_tables):
    assert three_tables.sweep().success
    return three_tables


def test_equal_passes(swept):
    assert check(swept).passed


def test_partitions_changed_behind_its_back_are_an_error(swept):
    swept.instance.add_dynamic_partitions(keys.TABLES.name, ["raw.never"])
    swept.instance.delete_dynamic_partition(keys.TABLES.name, "raw.a")
    found = check(swept)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found.metadata["missing"].value == ["raw.a"]
    assert found.metadata["superfluous"].value == ["raw.never"]


def test_a_table_made_since_the_sweep_is_a_warning(swept):
    swept.create("raw.younger")
    found = check(swept)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.metadata["missing"].value == ["raw.younger"]


def test_a_catalog_that_cannot_be_read_raises(swept):
    swept.catalog.engine.dispose()
    (swept.state_file.parent / "catalog.db").write_bytes(b"not a database" * 100)
    with pytest.raises(dg.Failure):
        check(swept)
