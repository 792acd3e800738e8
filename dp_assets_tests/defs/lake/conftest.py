from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets import keys
from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.defs.lake.assets import inventory
from dp_assets.defs.lake.checks import partitions_equal_catalog
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.inventory import Inventory

ROWS = pa.table({"id": pa.array([1, 2], pa.int64())})


@dataclass(frozen=True)
class Lake:
    """A real lakehouse on disk, and a Dagster instance beside it."""

    config: Path
    catalog: SqlCatalog
    instance: dg.DagsterInstance

    @property
    def house(self) -> LakehouseResource:
        return LakehouseResource(config_file=str(self.config))

    @property
    def state_file(self) -> Path:
        return self.config.parent / ".lakehouse" / "inventory.json"

    @property
    def saved(self) -> Inventory:
        return read_inventory(self.state_file).inventory

    @property
    def partitions(self) -> set[str]:
        return set(self.instance.get_dynamic_partitions(keys.TABLES.name))

    def create(self, name: str, **properties: str) -> None:
        namespace = name.rpartition(".")[0]
        self.catalog.create_namespace_if_not_exists(namespace)
        self.catalog.create_table(name, ROWS.schema, properties=properties).append(ROWS)

    def break_metadata(self, name: str) -> str:
        """Empty the newest metadata file, as a power loss does; its location."""
        location = self.catalog.load_table(name).metadata_location
        Path(location.removeprefix("file://")).write_bytes(b"")
        return location

    def sweep(self, *, allow_gone: int = 0) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [inventory, partitions_equal_catalog],
            instance=self.instance,
            resources={"house": self.house},
            run_config={"ops": {"lake__inventory": {"config": {"allow_gone": allow_gone}}}},
            raise_on_error=False,
        )


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.delenv("DP_STATE", raising=False)
    config = tmp_path / "lakehouse.yaml"
    config.write_text("environment: test\n")
    state = tmp_path / ".lakehouse"
    state.mkdir()
    catalog = SqlCatalog(
        "lake", uri=f"sqlite:///{state}/catalog.db", warehouse=f"file://{state}/warehouse"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        yield Lake(config, catalog, instance)
    catalog.engine.dispose()


@pytest.fixture
def three_tables(lake):
    for name in ("raw.a", "raw.b", "deep.er.c"):
        lake.create(name)
    return lake
