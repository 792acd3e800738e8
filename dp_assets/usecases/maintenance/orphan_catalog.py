"""The catalog as one sweep over many tables sees it: listed once, however many tables it has."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_pointer import read_pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse


class SweptCatalog:
    """Pointers of all tables, for a sweep that puts files of one table after the other away.

    Of the table that is swept, the pointer is asked anew each time, also right before its files
    are recorded: its own writers are those who name them, and whether it was dropped or went back
    stops it. Every other table is as it was when the sweep began. Such a table names files in
    a foreign folder by an import only; one that was made since is then in a record although it is
    needed. That takes nothing away: a record deletes nothing, and whoever empties the trash lists
    and reads all tables anew, before the first file and right before every batch.

    Args:
        lake: open.
    """

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake

    @cached_property
    def _listed(self) -> Mapping[TableId, str]:
        return list_pointers(self._lake.catalog)

    def pointers(self, swept: TableId) -> dict[TableId, str]:
        """Of all tables. Raises TransientError or PermanentError when it cannot be read."""
        found = {table: at for table, at in self._listed.items() if table != swept}
        own = read_pointer(self._lake.catalog, swept)
        return found if own is None else {**found, swept: own}
