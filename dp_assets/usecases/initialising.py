"""Making a lakehouse where there is none: folders, catalog, warehouse, identity."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.catalogs import sqlite_file
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.namespace_properties import write_properties
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.state_folder import is_there, make_file, make_folder
from dp_assets.domains.lake.identity import NAMESPACE
from dp_assets.domains.lake.initialisation import plan_identity, tables_shared
from dp_assets.lakehouse import Lakehouse, connect
from dp_assets.project_files import project_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dp_assets.core.ids import TableId
    from dp_assets.domains.lake.identity import Identity
    from dp_assets.settings import Settings

DAGSTER_SETTINGS = "dagster.yaml"


@dataclass(frozen=True, slots=True)
class Initialised:
    """The lakehouse as it is now; ``made`` names what this call added, nothing the second time."""

    identity: Identity
    made: tuple[str, ...]


def initialise(settings: Settings, *, origin: str = "", new_identity: bool = False) -> Initialised:
    """Make everything that is missing, the identity last; killed, it is simply called again.

    Args:
        settings: where the lakehouse is to be.
        origin: recorded when it gets its first identity; never changed afterwards.
        new_identity: this is a copy, and becomes a lakehouse of its own.

    Raises:
        PermanentError: the catalog belongs to another place (a clone or a restored dump).
        ConfigurationError: a folder or the database cannot be written.
    """
    made = list(_make_database(settings))
    with closing(Lakehouse(settings, doing="dp init")) as lake:
        plan = plan_identity(
            lake.identity, lake.place, origin=origin, new_id=str(uuid.uuid4()), renew=new_identity
        )
        made += _make_folders(settings)
        if plan.changes:
            write_properties(lake.catalog, NAMESPACE, plan.changes)
            made.append(f"identity {plan.identity.lakehouse_id}")
        # Two processes may have come here at once: what is recorded counts.
        identity = lake.identity or plan.identity
    return Initialised(identity=identity, made=tuple(made))


def shared_with_original(settings: Settings) -> tuple[TableId, ...]:
    """The tables that a copy of a lakehouse would change under its original; mostly none."""
    with closing(Lakehouse(settings, doing="dp init")) as lake:
        return tables_shared(lake.identity, lake.place, list_pointers(lake.catalog))


def _make_database(settings: Settings) -> Iterator[str]:
    """The SQLite file of a catalog that has one; other catalogs are there or are not."""
    database = sqlite_file(settings.catalog.uri)
    if database is None or is_there(database):
        return
    make_folder(database.parent)
    make_file(database, b"")  # as SQLite would; here with an error that says who may not write
    connect(settings).close()
    yield f"catalog {database}"


def _make_folders(settings: Settings) -> Iterator[str]:
    folders: list[tuple[str, Path | None]] = [
        ("state folder", settings.state_dir),
        ("warehouse", local_path(settings.warehouse.root)),
    ]
    for what, folder in folders:
        if folder and make_folder(folder):
            yield f"{what} {folder}"
    dagster = settings.dagster_home / DAGSTER_SETTINGS
    if make_file(dagster, project_file(DAGSTER_SETTINGS).read_bytes()):
        yield f"Dagster's settings {dagster}"
