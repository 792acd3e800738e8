"""What another engine does to the model's table: PyIceberg, and position deletes by our own hand.

PyIceberg does not try again: its second validation lets deleted rows come back. So a lost race is
said, and the row is as it was.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import In
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import (
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    StringType,
)

from dp_assets_tests.faults.model_rows import Row, Rows

FIXED = ("id", "part")
KINDS: dict[str, IcebergType] = {"int": IntegerType(), "float": FloatType(), "text": StringType()}
WIDER: dict[type[IcebergType], IcebergType] = {IntegerType: LongType(), FloatType: DoubleType()}
FIELDS = {
    "identity": ("part", IdentityTransform(), "part_is"),
    "bucket": ("id", BucketTransform(2), "id_bucket"),
    "truncate": ("id", TruncateTransform(20), "id_cut"),
}
APPENDS = 4
Said = dict[str, Any]


def append(table: Table, order: Said) -> Said:
    """Tried again when another writer was first: of an append that is safe."""
    for _ in range(APPENDS):
        rows = made(table, order)
        with suppress(CommitFailedException):
            table.append(arrow(table, rows), branch=order.get("branch") or "main")
            return {"rows": rows, "snapshot": head(table)}
        table.refresh()
    raise CommitFailedException(f"first {APPENDS} times")


def update(table: Table, order: Said) -> Said:
    """Other values for rows, by a commit that deletes and one that appends."""
    rows = made(table, order)
    table.overwrite(arrow(table, rows), overwrite_filter=In("id", order["ids"]))
    return {"rows": rows, "snapshot": head(table)}


def delete(table: Table, order: Said) -> Said:
    """Copy on write."""
    table.delete(In("id", order["ids"]))
    return {"gone": order["ids"], "snapshot": head(table)}


def add_column(table: Table, order: Said) -> Said:
    with table.update_schema() as change:
        change.add_column(order["name"], KINDS[order["kind"]])
    return {}


def drop_column(table: Table, order: Said) -> Said:
    if len(table.schema().fields) == len(FIXED) + 1:
        return {"did": "nothing"}
    with table.update_schema() as change:
        change.delete_column(_column(table, order))
    return {}


def rename_column(table: Table, order: Said) -> Said:
    with table.update_schema() as change:
        change.rename_column(_column(table, order), order["name"])
    return {}


def widen_column(table: Table, order: Said) -> Said:
    narrow = [f for f in table.schema().fields if type(f.field_type) in WIDER]
    chosen = narrow[order["nth"] % len(narrow)] if narrow else None
    if chosen is None:
        return {"did": "nothing"}
    with table.update_schema() as change:
        change.update_column(chosen.name, WIDER[type(chosen.field_type)])
    return {}


def change_spec(table: Table, order: Said) -> Said:
    """Add the partition field, or take away the one that its column has: PyIceberg knows no two."""
    source, transform, name = FIELDS[order["field"]]
    of_source = table.schema().find_field(source).field_id
    taken = [field.name for field in table.spec().fields if field.source_id == of_source]
    live = [n for n in taken if n in {known for _, _, known in FIELDS.values()}]
    if taken != live:
        return {"did": "nothing"}  # version 1 keeps a removed field, as void
    with table.update_spec() as change:
        if live:
            change.remove_field(live[0])
        else:
            change.add_field(source, transform, name)
    return {}


def tag(table: Table, order: Said) -> Said:
    return _ref(table, order, lambda at, name: table.manage_snapshots().create_tag(at, name))


def branch(table: Table, order: Said) -> Said:
    return _ref(table, order, lambda at, name: table.manage_snapshots().create_branch(at, name))


def untag(table: Table, order: Said) -> Said:
    table.manage_snapshots().remove_tag(order["name"]).commit()
    return {}


WRITES: dict[str, Callable[[Table, Said], Said]] = {
    one.__name__: one
    for one in (
        *(append, update, delete, add_column, drop_column, rename_column, widen_column),
        *(change_spec, tag, branch, untag),
    )
}


def head(table: Table) -> int | None:
    return table.metadata.current_snapshot_id


def made(table: Table, order: Said) -> Rows:
    """The rows of an order in the columns that the table has now."""
    fields = table.schema().fields
    return {
        number: {
            f.field_id: _value(f.name, f.field_type, number, f.field_id, order) for f in fields
        }
        for number in order["ids"]
    }


def arrow(table: Table, rows: Rows) -> pa.Table:
    schema = table.schema()
    wanted = schema_to_pyarrow(schema, include_field_ids=False)
    named: list[Row] = list(rows.values())
    columns = [[row[field.field_id] for row in named] for field in schema.fields]
    return pa.table(
        [pa.array(v, f.type) for v, f in zip(columns, wanted, strict=True)], schema=wanted
    )


def _ref(table: Table, order: Said, make: Callable[[int, str], Any]) -> Said:
    at = head(table)
    if at is None:
        return {"did": "nothing"}
    make(at, order["name"]).commit()
    return {"snapshot": at}


def _column(table: Table, order: Said) -> str:
    """One of the columns that may change."""
    free = [field.name for field in table.schema().fields if field.name not in FIXED]
    return free[order["nth"] % len(free)]


def _value(name: str, kind: IcebergType, number: int, field_id: int, order: Said) -> Any:
    if name == "id":
        return number
    if name == "part":
        return order["part"]
    stamp = order["stamp"]
    if (number + field_id + stamp) % 7 == 0:
        return None
    if isinstance(kind, StringType):
        return f"{number}/{field_id}/{stamp}"
    small = (number * 31 + field_id * 7 + stamp) % 10_000
    return float(small) / 4 if isinstance(kind, FloatType | DoubleType) else small
