"""The model of a table: its rows as a dict, by column ids, at the head and at every known snapshot.

A value is of a field id, so a column that was renamed is the same one and one that was dropped and
added again is another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.schema import Schema

from dp_assets_tests.faults.model_lineage import Ids

Row = dict[int, Any]  # value by field id; a column that is younger than the row is not in it
Rows = dict[int, Row]  # by the row's own number


@dataclass
class Model:
    """What must be read.

    Attributes:
        rows: at the head.
        contents: by snapshot, where it is known for certain.
        refs: by tag or branch.
        ids: once the table is of version 3: those of every row that was ever read; the number of
            a commit is None where it is not known.
        last_without_ids: the head that was of version 2.
        seen: all rows that ever were.
        reborn: rows that had different ids in different snapshots.
    """

    rows: Rows = field(default_factory=dict[int, Row])
    contents: dict[int, Rows] = field(default_factory=dict[int, Rows])
    refs: dict[str, Rows] = field(default_factory=dict[str, Rows])
    ids: dict[int, Ids] | None = None
    last_without_ids: int | None = None
    seen: set[int] = field(default_factory=set[int])
    reborn: set[int] = field(default_factory=set[int])

    def take(self, ids: Iterable[int]) -> None:
        gone = set(ids)
        self.rows = {number: row for number, row in self.rows.items() if number not in gone}

    def upgrade(self, head: int | None) -> None:
        """Of what is older, rows get other ids when it is the head again: nobody goes back."""
        self.contents, self.ids, self.last_without_ids = {}, {}, head

    def put(self, rows: Rows) -> None:
        """New, or with other values; one that a rollback took away is new, with another id."""
        self.reborn |= (rows.keys() & self.seen) - self.rows.keys()
        self.seen |= rows.keys()
        self._forget_numbers(rows)
        self.rows = {**self.rows, **rows}

    def roll_back(self, snapshot: int) -> None:
        self.rows = self.contents[snapshot]
        self._forget_numbers(self.rows)

    def _forget_numbers(self, rows: Rows) -> None:
        """Another commit than that of before is the last one that wrote these rows."""
        ids = self.ids or {}
        for number in rows.keys() & ids.keys():
            ids[number] = (None if number in self.reborn else ids[number][0], None)

    def known(self, snapshot: int | None) -> None:
        """The head is this snapshot, and nobody else writes rows now."""
        if snapshot is not None and snapshot != self.last_without_ids:
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
