"""A small lakehouse with three tables in a repository, and the places it is restored to."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.restore_plan import RestorePlan, Wanted
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import Target, find_target
from dp_assets.usecases.backup.restoring import Restored, restore
from dp_assets_tests.cli.things import make_things, things
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository

TABLES = ("shop.orders", "shop.things", "stock.things")


@dataclass(frozen=True)
class Shop:
    """The repository, and what was in the lakehouse that is gone."""

    repository: Repository
    rows: Mapping[str, list[dict[str, object]]]
    pointers: Mapping[str, str]
    folder: Path

    def target(self, name: str = "new") -> Target:
        return find_target([str(self.folder / name)], load_settings())

    def plan(self, target: Target, wanted: Wanted | None = None) -> RestorePlan:
        return plan_restore(self.repository, target, wanted or Wanted())

    def restore(self, target: Target, wanted: Wanted | None = None) -> Restored:
        return restore(self.repository, target, self.plan(target, wanted))


def make_shop(folder: Path, *, properties: Mapping[str, str] | None = None) -> Shop:
    """Three tables of three appends and a delete, in point 1; then the lakehouse is deleted."""
    home = folder / "old"
    home.mkdir(parents=True)
    catalog = SqlCatalog("old", uri=f"sqlite:///{home}/c.db", warehouse=f"file://{home}/warehouse")
    made = {name: make_things(catalog, *name.split(".")) for name in TABLES}
    rows: dict[str, list[dict[str, object]]] = {}
    for number, (name, table) in enumerate(made.items(), start=1):
        table.append(things(100 * number, 100 * number + 2))  # in no other table
        if properties:
            table.transaction().set_properties(dict(properties)).commit_transaction()
        rows[name] = in_order(table.scan().to_arrow())
    pointers = {name: table.metadata_location for name, table in made.items()}
    repository = new_repository(folder / "repository")
    namespaces = {
        "shop": {"owner": "ann", "location": f"file://{home}/warehouse/shop"},
        "stock": {"location": "/somewhere/else"},
        "empty": {"why": "not yet"},
        "ops": {"dp.id": "old-id", "dp.origin": "demo", "note": "kept"},
    }
    add_point(repository, pointers, namespaces=namespaces, warehouse=f"file://{home}/warehouse")
    catalog.close()
    shutil.rmtree(home)
    return Shop(repository, rows, pointers, folder)


def in_order(rows: pa.Table) -> list[dict[str, object]]:
    return sorted(rows.to_pylist(), key=lambda row: row["id"])


def tables_in(target: Target) -> dict[TableId, str]:
    """What a reader of the catalog sees; nothing where there is no catalog."""
    if not target.exists:
        return {}
    with opened(target.settings) as lake:
        return list_pointers(lake.catalog)


def rows_in(target: Target) -> dict[str, list[dict[str, object]]]:
    """Every table read by PyIceberg."""
    with opened(target.settings) as lake:
        return {
            str(table): in_order(lake.catalog.load_table(table.identifier).scan().to_arrow())
            for table in list_pointers(lake.catalog)
        }


def table_files(target: Target) -> list[Path]:
    """Every file in the target's warehouse that is not being written."""
    root = Path(target.warehouse.removeprefix("file://"))
    return sorted(p for p in root.rglob("*") if p.is_file())
