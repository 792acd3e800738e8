import subprocess
import sys

import polars as pl
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import FixedType, NestedField

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.tables import ALL
from dp_assets.domains.quality.contract import with_tolerances
from dp_assets.domains.quality.declare import rule, schema_of
from dp_assets.domains.quality.registry import CONTRACTED, contract_for
from dp_assets.ports.tables import TableSpec
from dp_assets_tests.domains.quality.conftest import TRIPS_SPEC

SPECS = {spec.table: spec for spec in ALL}


@pytest.mark.parametrize("table", CONTRACTED, ids=str)
def test_every_contract_fits_its_table(table):
    contract, spec = contract_for(table), SPECS[table]
    assert contract.table == table
    assert (contract.key_columns, contract.day_column) == (spec.key_columns, spec.day_column)
    assert list(contract.schema.columns) == [f.name for f in spec.schema.fields]
    assert (contract.schema.strict, contract.schema.coerce) == (True, False)
    declared = set(contract.schema.columns)
    assert set(contract.past_columns) | set(contract.references) <= declared
    assert set(contract.tolerances) <= set(contract.row_checks())
    for reference in contract.references.values():
        assert reference.column in SPECS[reference.table].schema.column_names


@pytest.mark.parametrize("table", CONTRACTED, ids=str)
def test_no_two_checks_of_a_contract_share_a_name(table):
    schema = contract_for(table).schema
    names = [c.name for c in schema.checks]
    names += [c.name for column in schema.columns.values() for c in column.checks]
    assert len(names) == len(set(names))
    assert all(names)


@pytest.mark.parametrize("table", CONTRACTED, ids=str)
def test_every_check_says_which_columns_it_reads(table):
    contract = contract_for(table)
    for check, columns in contract.row_checks().items():
        assert columns, check
        assert set(columns) <= set(contract.schema.columns), check


def test_every_daily_table_has_a_contract():
    assert {s.table for s in ALL if s.day_column} <= set(CONTRACTED)


def test_a_table_without_contract_has_none():
    assert contract_for(TableId("ops", "journal")) is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        pytest.param({"raw.trips.city_know": 0.5}, "is raw.trips.city_known", id="typo"),
        pytest.param({"raw.trips.schema": 0.5}, "no check 'schema' to tolerate", id="schema"),
        pytest.param({"raw.trips.city_known": 30}, "from 0 to 1", id="per-cent"),
        pytest.param({"raw.trips.city_known": -0.1}, "from 0 to 1", id="negative"),
        pytest.param({"raw.trips.city_known": float("nan")}, "from 0 to 1", id="nan"),
    ],
)
def test_a_tolerance_that_means_nothing_is_refused(trips, overrides, message):
    with pytest.raises(ConfigurationError, match=message):
        with_tolerances(trips, overrides)


def test_overrides_leave_the_contract_and_other_tolerances_alone(trips):
    changed = with_tolerances(trips, {"raw.trips.kind_not_null": 0.1, "raw.trip.nothing": 9})
    assert changed.tolerances == {"city_known": 0.3, "kind_not_null": 0.1}
    assert trips.tolerances == {"city_known": 0.3}


def test_a_contract_cannot_name_a_column_that_is_not_declared():
    with pytest.raises(PermanentError, match=r"raw.trips names columns .*: town"):
        schema_of(TRIPS_SPEC, not_null=("town",))


def test_a_contract_cannot_hold_a_type_it_has_no_check_for():
    fixed = NestedField(1, "hash", FixedType(16), required=False)
    spec = TableSpec(TRIPS_SPEC.table, Schema(fixed), "made up", key_columns=("hash",))
    with pytest.raises(PermanentError, match=r"cannot hold hash: .* fixed\[16\]"):
        schema_of(spec)


def test_required_columns_are_not_null(trips):
    fields = [
        NestedField(f.field_id, f.name, f.field_type, required=f.name == "minutes")
        for f in TRIPS_SPEC.schema.fields
    ]
    spec = TableSpec(TRIPS_SPEC.table, Schema(*fields), "made up", key_columns=("trip",))
    nullable = {name for name, c in schema_of(spec).columns.items() if c.nullable}
    assert {f.name for f in fields} - nullable == {"minutes", "trip"}


def test_a_rule_knows_the_columns_of_its_expression():
    check = rule("a_then_b", (pl.col("a") < pl.col("b")) | pl.col("a").is_null())
    assert check.statistics == {"columns": ["a", "b"]}


def test_asking_what_has_a_contract_loads_neither_pandera_nor_polars():
    code = (
        "import sys; from dp_assets.domains.quality import contract, registry, results, verdict; "
        "print(sorted({'pandera', 'polars', 'dagster', 'duckdb'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
