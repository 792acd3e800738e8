"""What another engine does to the model's table once it is of version 3, with deletion vectors.

PyIceberg 0.12 writes no such table: its schema, spec and ref changes are carried into the raw
metadata, and the commits of rows are our own.
"""

import json
from collections.abc import Callable
from contextlib import suppress

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata
from pyiceberg.typedef import IcebergBaseModel

from dp_assets.adapters.iceberg_json import MAIN, Json, with_properties
from dp_assets.adapters.iceberg_publish import move_to
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.core.errors import TransientError
from dp_assets.core.units import now_ms
from dp_assets_tests.faults.model_commits import UPGRADED, NewCommit, table_id
from dp_assets_tests.faults.model_writes import WRITES, Said, arrow, head, made

TRIES = 3
# What a change of a schema, a spec or a ref may touch.
CHANGED = (
    "schemas",
    "current-schema-id",
    "last-column-id",
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "refs",
)


def upgrade(table: Table, order: Said) -> Said:
    """To version 3; the next commit, whose ever it is, gives all rows their ids."""
    state = load_state(table.io, table.metadata_location)
    _move(table.catalog, table, state, {**state.raw, **UPGRADED})
    return {"at": head(table)}


def upgrade_with_rows(table: Table, order: Said) -> Said:
    """To version 3 and that next commit, at once."""
    rows, commit = made(table, order), NewCommit.to(table, upgrade=True)
    commit.add_rows(arrow(table, rows))
    return {"rows": rows, "snapshot": commit.publish("append")}


def append(table: Table, order: Said) -> Said:
    rows, commit = made(table, order), NewCommit.to(table, branch=order.get("branch") or MAIN)
    commit.add_rows(arrow(table, rows))
    return {"rows": rows, "snapshot": commit.publish("append")}


def update(table: Table, order: Said) -> Said:
    """Other values for rows, which keep their ids, in one commit."""
    rows, commit = made(table, order), NewCommit.to(table)
    ids = commit.delete(order["ids"])
    commit.add_rows(arrow(table, rows), row_ids={number: own for number, (own, _) in ids.items()})
    return {"rows": rows, "snapshot": commit.publish("overwrite")}


def delete(table: Table, order: Said) -> Said:
    commit = NewCommit.to(table)
    commit.delete(order["ids"])
    return {"gone": order["ids"], "snapshot": commit.publish("delete")}


class RawCommits:
    """A catalog for PyIceberg's changes without rows; what it does not know stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def commit_table(
        self,
        table: Table,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> CommitTableResponse:
        for requirement in requirements:
            requirement.validate(table.metadata)
        new = json.loads(_text(update_table_metadata(table.metadata, updates)))
        state = load_state(table.io, table.metadata_location)
        changed = {**state.raw, **{key: new[key] for key in CHANGED}}
        moved = _move(self._catalog, table, state, changed)
        return CommitTableResponse.model_validate(
            {"metadata": moved.raw, "metadata-location": moved.pointer}
        )

    def _delete_old_metadata(self, *_given: object) -> None:
        """As the tables say: they keep it."""


def _move(catalog: Catalog, table: Table, state: TableState, raw: Json) -> TableState:
    """Raises TransientError when another writer was first."""
    assert isinstance(catalog, SqlCatalog)
    logged = with_properties(raw, {}, previous_location=state.pointer, now_ms=now_ms())
    return move_to(catalog, table_id(table), state, logged, before_swap=lambda: None)


def _text(metadata: TableMetadata) -> str:
    """PyIceberg refuses to say version 3; only parts of it are taken."""
    return IcebergBaseModel.model_dump_json(metadata)


def _tried(once: Callable[[Table, Said], Said]) -> Callable[[Table, Said], Said]:
    """Again when another writer was first: each time by what the table is then."""

    def write(table: Table, order: Said) -> Said:
        for _ in range(TRIES):
            with suppress(TransientError):
                return once(table, order)
            table.refresh()
        return once(table, order)

    return write


def _changed(what: str) -> Callable[[Table, Said], Said]:
    def change(table: Table, order: Said) -> Said:
        table.catalog = RawCommits(table.catalog)  # pyright: ignore[reportAttributeAccessIssue]
        return WRITES[what](table, order)

    return change


ROWS: dict[str, Callable[[Table, Said], Said]] = {
    "append": _tried(append),
    "update": _tried(update),
    "delete": _tried(delete),
    "delete_positions": _tried(delete),
}
WRITES_3 = {what: ROWS.get(what) or _changed(what) for what in (*WRITES, "delete_positions")}
UPGRADES = {"upgrade": upgrade, "upgrade_with_rows": upgrade_with_rows}
