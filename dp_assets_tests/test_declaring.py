import dagster as dg

from dp_assets import keys
from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline import tables
from dp_assets.orchestration.declaring import about, column_lineage


def columns(spec) -> dict[str, dg.TableColumn]:
    return {c.name: c for c in about(spec)["metadata"]["dagster/column_schema"].columns}


def test_an_asset_says_what_its_table_is():
    shown = about(tables.CURATED_FLIGHTS)
    assert (shown["key"], shown["group_name"]) == (keys.CURATED_FLIGHTS, "curated")
    assert shown["owners"] == ["team:lakehouse"]
    assert shown["metadata"]["dagster/table_name"] == "curated.flights"
    assert shown["metadata"]["key_columns"] == "flight_date, carrier, flight, origin"
    assert shown["metadata"]["partition_spec"] == "month(flight_date)"
    assert about(tables.RAW_PLANES)["metadata"]["partition_spec"] == "unpartitioned"


def test_every_column_is_typed_and_explained():
    for spec in tables.ALL:
        assert list(columns(spec)) == [field.name for field in spec.schema.fields]
        assert all(column.type and column.description for column in columns(spec).values())


def test_a_copied_column_names_its_source_and_a_computed_one_none():
    curated = columns(tables.CURATED_FLIGHTS)
    assert curated["plane_year"].tags == {"copy_of": "raw.planes.year"}
    assert curated["actual_arrival_utc"].tags == {}


def test_column_lineage_points_at_assets_that_have_the_column():
    known = {about(spec)["key"]: columns(spec) for spec in tables.ALL}
    lineage = column_lineage(tables.CURATED_FLIGHTS.table)["dagster/column_lineage"].value
    assert lineage.deps_by_column["dep_delay_min"] == [
        dg.TableColumnDep(keys.RAW_FLIGHTS, "dep_delay")
    ]
    deps = [dep for deps in lineage.deps_by_column.values() for dep in deps]
    assert all(dep.column_name in known[dep.asset_key] for dep in deps)


def test_a_table_without_copies_has_no_lineage():
    assert column_lineage(TableId("raw", "flights")) == {}
