"""What stops a sweep for orphans before it begins: where files cannot be told for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.file_identity import can_be_reached
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.domains.maintenance.orphan_folders import folder_key, folders_of
from dp_assets.domains.maintenance.trash import live_holds
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.usecases.maintenance.trash import state_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import TableClosure

NOTHING_CHANGED = "nothing was changed"


def refuse(table: TableId, why: str, *, hint: str = NOTHING_CHANGED) -> NoReturn:
    """Stop, with the reason."""
    raise MaintenanceRefusedError(f"orphans of {table}: {why}", hint=hint)


def stop(table: TableId, why: str, *, hint: str = NOTHING_CHANGED) -> None:
    """Stop when there is a reason."""
    if why:
        refuse(table, why, hint=hint)


def require_no_holds(lake: Lakehouse, table: TableId) -> None:
    """Raises MaintenanceRefusedError while a recovery point in progress may need any file."""
    holds = live_holds(lake.leases.held())
    if holds:
        refuse(table, f"{', '.join(holds)} may need files that no table names")


def require_judgeable(table: TableId, closure: TableClosure) -> None:
    """Stop where what the table names cannot be compared with what is there.

    Raises:
        PermanentError: it is foreign.
        MaintenanceRefusedError: anything else.
    """
    properties = closure.metadata.get("properties") or {}
    refuse_foreign(table, properties)
    if not closure.uuid:
        refuse(table, "it has no uuid: whose files these are could not be told")
    if str(properties.get("gc.enabled", "true")).lower() == "false":
        refuse(table, "its property gc.enabled says that no file of it may be deleted")
    named = (file.path for file in closure.files)
    for path in (*folders_of(closure.metadata, closure.pointer), *named):
        if not can_be_reached(path) or not _is_absolute(path):
            refuse(table, f"nothing is known of places like {path}, which it names")


def places_of_others(lake: Lakehouse, key: Callable[[str], str]) -> dict[str, str]:
    """What is certainly no table's, by the key of its folder, in words."""
    settings = lake.settings
    places = {
        str(settings.warehouse.root): "the warehouse",
        state_url(lake): "the leases and the trash",
        str(settings.state_dir): "the state of this lakehouse",
        str(settings.repository.url): "the repository",
    }
    return {folder_key(place, key): what for place, what in places.items() if place}


def _is_absolute(location: str) -> bool:
    path = local_path(location)
    return path is None or path.is_absolute()
