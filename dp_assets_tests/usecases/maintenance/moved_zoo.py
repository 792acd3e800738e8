"""Tables of the zoo in a catalog of their own, adopted, as maintenance meets them."""

import json
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.core.ids import TableId
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.moved_table import move
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.backup.readings import by_duckdb, by_pyiceberg
from dp_assets_tests.usecases.maintenance.compacting import live, plan_all
from dp_assets_tests.zoo import unpack_zoo


@dataclass(frozen=True)
class Moved:
    """A table of the zoo in a catalog of its own."""

    lake: Lake
    table: TableId

    @property
    def pointer(self) -> str:
        return self.lake.catalog.load_table(self.table.identifier).metadata_location

    @property
    def raw(self) -> dict:
        return json.loads(Path(one_spelling(self.pointer)).read_text())

    def readings(self) -> tuple[dict[str, str], dict[str, str]]:
        return by_pyiceberg(self.pointer), by_duckdb(self.pointer, self.lake.folder / "tmp")


def moved(lake: Lake, name: str) -> Moved:
    zoo = unpack_zoo(lake.folder)
    pointer = Path(move(zoo.files, zoo.table(name), lake.folder / "moved"))
    metadata = json.loads(pointer.read_text())
    metadata["properties"][ADOPTED] = "true"
    metadata["unknown"] = {"kept": [1]}
    pointer.write_text(json.dumps(metadata))
    lake.catalog.register_table(("zoo", name), str(pointer))
    return Moved(lake, TableId("zoo", name))


def lineage(table: Moved) -> list[str]:
    """Every live row with its id and the number of the commit that wrote it."""
    plan = plan_all(table.table, table.pointer)
    tables = (live(plan, group, file) for group in plan.groups for file in group.inputs)
    return sorted(repr(row) for rows in tables for row in rows.to_pylist())
