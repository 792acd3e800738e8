"""Moving a table's pointer back from a metadata file that is no use; deletes nothing."""

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.doctor.doctor_metadata import lost_snapshots
from dp_assets.adapters.doctor.doctor_tables import move_back, states_before
from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.doctor_tables import Repair, way_back
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.doctor import TableReading
from dp_assets.settings import Settings


def plan_repair(lake: Lakehouse, reading: TableReading) -> Repair | str:
    """The way back for a table with an unreadable pointer, or why there is none."""
    broken = reading.pointer.location
    if not isinstance(lake.catalog, SqlCatalog):
        return f"pointers of a {lake.settings.catalog.type} catalog are moved with its own tools"
    if not broken:
        return "there is no pointer to move"
    before = states_before(lake.catalog, reading.table, broken)
    recorded = before.previous.location if before.previous else ""
    found = way_back(
        broken,
        previous=before.previous,
        others=before.others,
        uuid=_known_uuid(lake.settings, reading.table, pointers={broken, recorded}),
    )
    if found.target is None:
        return found.reason
    if not found.target.is_adopted:
        return f"it is foreign, its owner moves it; the state before: {found.target.location}"
    io = ReadingIO(lake.catalog.properties)
    lost = lost_snapshots(io, found.target, folder=broken.rpartition("/")[0])
    return Repair(reading.table, reading.pointer, found.target, lost)


def _known_uuid(settings: Settings, table: TableId, *, pointers: set[str]) -> str:
    """The table's uuid, when the inventory saw it at one of ``pointers``.

    Its name alone proves nothing: the table may have been dropped and created again.
    """
    facts = read_inventory(settings.inventory_file).inventory.tables.get(table)
    return facts.uuid if facts and facts.metadata_location in pointers else ""


def repair(lake: Lakehouse, planned: Repair) -> None:
    """Move one table's pointer back, under its lease; deletes nothing.

    Raises:
        PermanentError: this is not certainly the lakehouse that the settings mean.
        ConfigurationError: the catalog's pointers are not in a database of ours.
        TransientError: somebody holds or changed the table.
    """
    doing = f"move the pointer of {planned.table} back"
    lake.require_identity(doing)
    if not isinstance(lake.catalog, SqlCatalog):
        raise ConfigurationError(
            f"{doing}: a {lake.settings.catalog.type} catalog keeps its pointers itself",
            hint=f"set the table's metadata location there to {planned.target.location}",
        )
    with lake.lease(f"table/{planned.table}", doing="doctor --repair") as lease:
        move_back(
            lake.catalog,
            planned.table,
            broken=planned.broken.location,
            target=planned.target,
            before_swap=lambda: lake.leases.check(lease),
        )
