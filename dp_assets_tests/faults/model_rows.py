"""The model of a table: its rows as a dict, by column ids, at the head and at every known snapshot.

A value is of a field id, so a column that was renamed is the same one and one that was dropped and
added again is another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.schema import Schema

Row = dict[int, Any]  # value by field id; a column that is younger than the row is not in it
Rows = dict[int, Row]  # by the row's own number


@dataclass
class Model:
    """What must be read.

    Attributes:
        rows: at the head.
        contents: by snapshot, where it is known for certain.
        refs: by tag or branch.
    """

    rows: Rows = field(default_factory=dict[int, Row])
    contents: dict[int, Rows] = field(default_factory=dict[int, Rows])
    refs: dict[str, Rows] = field(default_factory=dict[str, Rows])

    def put(self, rows: Rows) -> None:
        self.rows = {**self.rows, **rows}

    def take(self, ids: Iterable[int]) -> None:
        gone = set(ids)
        self.rows = {number: row for number, row in self.rows.items() if number not in gone}

    def known(self, snapshot: int | None) -> None:
        """The head is this snapshot, and nobody else writes rows now."""
        if snapshot is not None:
            self.contents[snapshot] = self.rows


def rows_by_number(read: Iterable[Mapping[str, Any]], schema: Schema) -> Rows:
    """Rows as an engine reads them in ``schema``. Raises AssertionError for one that is twice."""
    ids = {field.name: field.field_id for field in schema.fields}
    found: Rows = {}
    for row in read:
        assert row["id"] not in found, f"row {row['id']} is there twice"
        found[row["id"]] = {ids[name]: value for name, value in row.items()}
    return found


def as_read(rows: Rows, schema: Schema) -> Rows:
    """The model's rows as they must be read in ``schema``."""
    ids = [field.field_id for field in schema.fields]
    return {number: {at: row.get(at) for at in ids} for number, row in rows.items()}
