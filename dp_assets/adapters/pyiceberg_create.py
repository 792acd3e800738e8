"""Creating a declared table, and refusing one whose columns were changed behind our back."""

from collections.abc import Mapping
from contextlib import suppress

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import ResolveError
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, promote
from pyiceberg.table import Table
from pyiceberg.transforms import MonthTransform
from pyiceberg.types import IcebergType, NestedField
from sqlalchemy.exc import IntegrityError

from dp_assets.adapters.metadata_facts import ADOPTED, WRITER, is_adopted
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.tables import TableSpec

OWNER = "owner"


def ensure_table(catalog: Catalog, spec: TableSpec) -> None:
    """Create namespace and table where missing; add columns that the declaration gained.

    Raises:
        PermanentError: a declared column was renamed, dropped or narrowed in the table.
    """
    identifier = spec.table.identifier
    if not catalog.table_exists(identifier):
        # PyIceberg looks, then inserts: whoever comes second finds the key taken.
        with suppress(IntegrityError):
            catalog.create_namespace_if_not_exists(identifier[:-1])
        catalog.create_table_if_not_exists(
            identifier,
            spec.schema,
            partition_spec=_partition_spec(spec),
            properties=_properties(spec),
        )
        return
    table = catalog.load_table(identifier)
    refuse_foreign(spec.table, table.properties)
    missing = [f for f in spec.schema.fields if not _has(table, f, spec)]
    if missing:
        with table.update_schema() as update:
            for field in missing:
                update.add_column(field.name, field.field_type, field.doc)


def refuse_foreign(table: TableId, properties: Mapping[str, str]) -> None:
    """Raises PermanentError for a table that somebody else made and nobody adopted."""
    if not is_adopted(properties):
        raise PermanentError(
            f"{table} is foreign: it is read and never changed",
            hint=f"'dp adopt {table}' makes it ours to change; or give it another name",
        )


def _has(table: Table, wanted: NestedField, spec: TableSpec) -> bool:
    """Whether the table has the column; a wider one will do.

    Raises PermanentError when it was renamed, dropped, or is of a type that does not fit.
    """
    schema: Schema = table.schema()
    if wanted.name in schema.column_names:
        actual = schema.find_field(wanted.name).field_type
        if not _holds(actual, wanted.field_type):
            raise PermanentError(
                f"column {wanted.name} of {spec.table} is {actual}, declared {wanted.field_type}",
                hint="change it back, or change the table's declaration and its transform together",
            )
        return True
    if wanted.field_id > table.metadata.last_column_id:
        return False
    now = schema.find_column_name(wanted.field_id)
    what = f"renamed to {now}" if now else "dropped"
    raise PermanentError(
        f"column {wanted.name} of {spec.table} was {what}",
        hint="rename it back, or change the table's declaration and its transform together",
    )


def _holds(actual: IcebergType, declared: IcebergType) -> bool:
    """Whether every declared value is one of the actual type, as Iceberg's promotion has it."""
    try:
        return actual == declared or promote(declared, actual) == actual
    except ResolveError:
        return False


def _partition_spec(spec: TableSpec) -> PartitionSpec:
    if spec.day_column is None:
        return PartitionSpec()
    source = spec.schema.find_field(spec.day_column).field_id
    name = f"{spec.day_column.removesuffix('_date')}_month"
    return PartitionSpec(PartitionField(source, PARTITION_FIELD_ID_START, MonthTransform(), name))


def _properties(spec: TableSpec) -> dict[str, str]:
    return {
        "format-version": "2",
        "comment": spec.comment,
        OWNER: spec.owner,
        ADOPTED: "true",
        WRITER: spec.writer,
        **spec.properties,
    }
