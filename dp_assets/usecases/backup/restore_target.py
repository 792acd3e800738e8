"""Where a restore goes: this lakehouse, another one, or one that is made for it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dp_assets.adapters.catalogs import sqlite_file
from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.local_files import create_file, is_temporary, local_path
from dp_assets.adapters.pyiceberg_inventory import UNREADABLE, list_pointers
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.state_folder import is_there
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.secrets import Address
from dp_assets.domains.backup.restore_plan import NOTHING_BESIDE, Beside
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.settings import Settings

SETTINGS_FILE = "lakehouse.yaml"
CATALOG_SCHEMES = {"sqlite": "sql", "postgresql": "sql", "http": "rest", "https": "rest"}
# The catalog's neighbours are there while SQLite writes: https://sqlite.org/tempfiles.html
OURS = {"state", "warehouse", *(f"catalog.db{end}" for end in ("", "-journal", "-wal", "-shm"))}
HOW = "--to takes a folder, s3://bucket/prefix, a catalog's address, or a lakehouse.yaml"
MADE = """\
# A lakehouse that `dp restore` made: catalog.db, warehouse/ and state/ beside this file.
state: state

catalog:
  uri: sqlite:///catalog.db

warehouse:
  root: warehouse
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A lakehouse to restore into, which need not exist yet.

    Attributes:
        warehouse: the folder or prefix that gets the tables' files.
        folder: where a lakehouse.yaml will be, of one that is made; None for any other.
    """

    settings: Settings
    warehouse: str
    folder: Path | None = None

    @property
    def exists(self) -> bool:
        """Whether its catalog is there; one behind a server always counts as there."""
        database = sqlite_file(self.settings.catalog.uri)
        return database is None or is_there(database)

    @property
    def address(self) -> str:
        """For people."""
        return str(self.folder or self.warehouse)

    def write_settings(self) -> None:
        """The lakehouse.yaml of a lakehouse that is made; one that is there stays."""
        if self.folder:
            create_file(self.folder / SETTINGS_FILE, MADE.encode())

    def free_bytes(self) -> int | None:
        """On the disk of a local warehouse; None for a bucket."""
        path = local_path(self.warehouse)
        while path is not None and not path.exists():
            path = path.parent
        return shutil.disk_usage(path).free if path is not None else None


def find_target(to: Sequence[str], settings: Settings) -> Target:
    """What ``--to`` means; nothing is made.

    Args:
        to: nothing for the lakehouse of ``settings``; a folder for a new lakehouse in it; a
            lakehouse.yaml for that one; a bucket for the files, a catalog's address for the
            tables, or both of these.
        settings: what is not said is as here.

    Raises ConfigurationError.
    """
    catalogs = [text for text in to if text.partition(":")[0].partition("+")[0] in CATALOG_SCHEMES]
    places = [text for text in to if text not in catalogs]
    if len(catalogs) > 1 or len(places) > 1:
        raise ConfigurationError(f"--to names too much: {', '.join(to)}", hint=HOW)
    if catalogs:
        return _with_catalog(settings, catalogs[0], places[0] if places else "")
    if not places:
        return Target(settings, str(settings.warehouse.root))
    path = local_path(places[0])
    if path is None:
        if not places[0].startswith(("s3://", "s3a://", "s3n://")):
            raise ConfigurationError(f"not a place for tables: {places[0]}", hint=HOW)
        return Target(settings, places[0].rstrip("/"))
    path = path.expanduser().resolve()
    if path.suffix in (".yaml", ".yml"):
        other = load_settings(path)
        return Target(other, str(other.warehouse.root))
    if (path / SETTINGS_FILE).exists():
        other = load_settings(path / SETTINGS_FILE)
        return Target(other, str(other.warehouse.root))
    return _in_folder(settings, path)


def beside(target: Target) -> Beside:
    """The tables that are in the target now, each with its uuid as far as it can be read."""
    if not target.exists:
        return NOTHING_BESIDE
    with opened(target.settings, doing="dp restore") as lake:
        pointers = list_pointers(lake.catalog)
        return Beside(pointers, dict(_uuids(lake, pointers)))


def _uuids(lake: Lakehouse, pointers: dict[TableId, str]) -> Iterator[tuple[TableId, str]]:
    io = ReadingIO(lake.catalog.properties)
    for table, pointer in pointers.items():
        try:
            yield table, str(read_metadata(io, pointer)["table-uuid"])
        except UNREADABLE:
            continue  # a table that is damaged has no identity to collide with


def _in_folder(settings: Settings, folder: Path) -> Target:
    """A new lakehouse, embedded, in a folder of its own."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder)):
        raise ConfigurationError(
            f"{folder} is not empty and no lakehouse", hint="name an empty or a new folder"
        )
    warehouse = f"file://{folder / 'warehouse'}"
    catalog = settings.catalog.model_copy(
        update={
            "type": "sql",
            "name": type(settings.catalog).model_fields["name"].default,
            "uri": Address(f"sqlite:///{folder / 'catalog.db'}"),
        }
    )
    made = settings.model_copy(
        update={
            "state_dir": folder / "state",
            "catalog": catalog,
            "warehouse": settings.warehouse.model_copy(update={"root": Address(warehouse)}),
        }
    )
    return Target(made, warehouse, folder)


def _is_ours(folder: Path) -> bool:
    """What a killed restore has made so far, the files in which it was writing included."""
    return all(path.name in OURS or is_temporary(path.name) for path in folder.iterdir())


def _with_catalog(settings: Settings, uri: str, warehouse: str) -> Target:
    kind = CATALOG_SCHEMES[uri.partition(":")[0].partition("+")[0]]
    catalog = settings.catalog.model_copy(update={"type": kind, "uri": Address(uri)})
    path = local_path(warehouse) if warehouse else None
    root = f"file://{path.expanduser().resolve()}" if path else warehouse.rstrip("/")
    changed: dict[str, object] = {"catalog": catalog}
    if root:
        changed["warehouse"] = settings.warehouse.model_copy(update={"root": Address(root)})
    return Target(settings.model_copy(update=changed), root or str(settings.warehouse.root))
