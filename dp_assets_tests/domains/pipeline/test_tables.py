"""The declared tables: documented, keyed, and each computed one with its statement."""

from importlib import resources

import pytest

from dp_assets.domains.pipeline import tables
from dp_assets.domains.pipeline.validations import EXPECTATIONS
from dp_assets.ports.tables import TableSpec

every_table = pytest.mark.parametrize("spec", tables.ALL, ids=lambda spec: str(spec.table))


@every_table
def test_every_column_says_what_it_means(spec: TableSpec):
    assert [f.name for f in spec.schema.fields if not f.doc] == []


@every_table
def test_columns_are_optional_and_numbered_in_order(spec: TableSpec):
    ids = [field.field_id for field in spec.schema.fields]
    assert ids == list(range(1, len(ids) + 1))
    assert not any(field.required for field in spec.schema.fields)


@every_table
def test_keys_begin_with_the_day_and_exist(spec: TableSpec):
    assert set(spec.key_columns) <= set(spec.schema.column_names)
    if spec.day_column is not None:
        assert spec.key_columns[0] == spec.day_column == spec.schema.column_names[0]


@every_table
def test_the_writer_is_the_asset_of_the_same_name(spec: TableSpec):
    assert spec.writer == f"{spec.table.namespace}/{spec.table.name}"


def test_every_table_is_declared_once():
    assert len({spec.table for spec in tables.ALL}) == len(tables.ALL) == 10


def test_a_computed_table_has_a_statement_and_no_statement_is_left_over():
    computed = {str(s.table) for s in tables.ALL if s.table.namespace != "raw"}
    assert _sql_files("sql") == computed - {"analytics.validation"}


def test_every_validation_query_is_declared_with_its_expectation():
    assert _sql_files("validation") == set(EXPECTATIONS)
    assert all(EXPECTATIONS.values())


def _sql_files(folder: str) -> set[str]:
    found = resources.files("dp_assets.domains.pipeline").joinpath(folder).iterdir()
    return {file.name.removesuffix(".sql") for file in found}
