"""A pointer that was set back, e.g. by an older dump of the metastore, to the newest state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.errors import PermanentError
from dp_assets.domains.lake.doctor_tables import number
from dp_assets.domains.lake.fsck import of_the_table
from dp_assets.domains.lake.naming import find_table
from dp_assets.ports.closure import one_spelling
from dp_assets.usecases.backup.checking import newer_metadata
from dp_assets.usecases.backup.registering_restored import replace_pointer
from dp_assets.usecases.backup.table_checking import Looking, TableCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.doctor import MetadataFile


@dataclass(frozen=True, slots=True)
class Forward:
    """Where the pointer is and where it can go; ``rows`` as the target's head says."""

    table: TableId
    pointer: str
    target: str
    snapshots: tuple[int, ...]
    rows: int | None


def plan_forward(lake: Lakehouse, name: str) -> Forward:
    """The newest state that builds on the table's pointer; changes nothing.

    Raises:
        ConfigurationError: there is no such table.
        PermanentError: there is no newer state, it is not certain which, or it is not whole.
    """
    pointers = list_pointers(lake.catalog)
    table = find_table(name, pointers)
    at, newer = newer_metadata(lake, pointers[table])
    target = _newest(table, at, of_the_table(at, newer))
    looking = Looking(lake.files, lake.settings.backup.workers)
    for finding in TableCheck(looking, table).run(target.location).findings:
        raise PermanentError(
            f"{target.location} is not whole: {finding.path}: {finding.what}",
            hint=f"'dp undrop {table} --replace' moves the table to a recovery point",
        )
    return Forward(
        table=table,
        pointer=pointers[table],
        target=target.location,
        snapshots=tuple(i for i in target.snapshot_rows if i not in at.snapshot_rows),
        rows=target.snapshot_rows.get(target.head_id or 0),
    )


def move_forward(lake: Lakehouse, plan: Forward) -> None:
    """Carry out ``plan``, if the pointer is still where it was; the old one is written down.

    Raises as :func:`replace_pointer`.
    """
    replace_pointer(lake, plan.table, old=plan.pointer, new=plan.target, why="dp repair --forward")


def _newest(table: TableId, at: MetadataFile, newer: Sequence[MetadataFile]) -> MetadataFile:
    if not newer:
        raise PermanentError(
            f"{table} has no metadata file newer than its pointer", hint="there is nothing to do"
        )
    newest = newer[-1]
    also = [f.location for f in newer[:-1] if number(f.location) == number(newest.location)]
    if also:
        raise PermanentError(
            f"nothing says which of {newest.location} and {also[0]} was committed",
            hint="compare them; 'dp register' makes a table of either under another name",
        )
    if one_spelling(at.location) not in map(one_spelling, newest.log):
        raise PermanentError(
            f"{newest.location} does not build on {at.location}",
            hint="the table has two histories; 'dp register' makes a table of the other one under"
            " another name",
        )
    return newest
