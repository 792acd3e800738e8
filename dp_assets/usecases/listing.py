"""Every table of the lakehouse with its facts: the catalog's pointers, then only what is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.pyiceberg_inventory import list_pointers, read_facts

if TYPE_CHECKING:
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.inventory import TableFacts


def list_facts(lake: Lakehouse) -> tuple[TableFacts, ...]:
    """The facts of every table, in order of name.

    What the inventory knows is taken from there as long as the pointer has not moved: metadata
    files never change.
    """
    known = read_inventory(lake.settings.inventory_file).inventory.tables
    return tuple(
        facts
        if (facts := known.get(table)) and _still_true(facts, pointer)
        else read_facts(lake.catalog, table, pointer)
        for table, pointer in sorted(list_pointers(lake.catalog).items())
    )


def _still_true(facts: TableFacts, pointer: str) -> bool:
    """Whether the facts are of this very file; a local one may have been emptied or lost since."""
    if facts.problem or facts.metadata_location != pointer:
        return False
    path = local_path(pointer)
    try:
        return path is None or path.stat().st_size > 0
    except OSError:
        return False
