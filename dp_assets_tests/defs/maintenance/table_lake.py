"""A lakehouse with one fragmented table, and a Dagster instance whose partitions have it."""

import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dp_assets import keys
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.defs.maintenance.operation_checks import operation_checks
from dp_assets.defs.maintenance.operations import operation_assets
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.orchestration.operations import KEYS
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.maintenance import Attempt, Operation
from dp_assets.settings import Settings
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse

COMMITS = 12
TABLES = str(keys.TABLES.name)
DEFINED = [*operation_assets(), *operation_checks()]


@dataclass
class TableLake:
    config: Path
    lake: Lakehouse
    instance: dg.DagsterInstance

    @property
    def house(self) -> LakehouseResource:
        return LakehouseResource(config_file=str(self.config))

    @property
    def pointer(self) -> str:
        return list_pointers(self.lake.catalog)[ORDERS]

    @property
    def head(self) -> str:
        return str(self.lake.catalog.load_table(ORDERS.identifier).metadata.current_snapshot_id)

    def run(
        self,
        *operations: Operation,
        table: TableId = ORDERS,
        tags: Mapping[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """The operations on the table with their checks, as the sensor asks for them."""
        return dg.materialize(
            DEFINED,
            instance=self.instance,
            resources={"house": self.house},
            partition_key=str(table),
            selection=dg.AssetSelection.assets(*(KEYS[one] for one in operations)),
            tags=tags,
            raise_on_error=False,
        )

    def journal(self, table: TableId = ORDERS) -> Sequence[Attempt]:
        return read_journal(self.lake, now_ms=now_ms() + 5).of(table)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """Made once; its paths are absolute, so it is put back where it was before each test."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "lake").mkdir()
    settings = make_lakehouse(folder / "lake", commits=COMMITS)
    shutil.copytree(folder / "lake", folder / "prepared")
    return settings, folder


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance, None, None]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def lake(
    prepared: tuple[Settings, Path],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[TableLake, None, None]:
    monkeypatch.delenv("DP_STATE", raising=False)
    settings, folder = prepared
    shutil.rmtree(folder / "lake")
    shutil.copytree(folder / "prepared", folder / "lake")
    with opened(settings) as found:
        instance.add_dynamic_partitions(TABLES, [str(ORDERS)])
        yield TableLake(folder / "lake" / "lakehouse.yaml", found, instance)


def materialized(result: dg.ExecuteInProcessResult, operation: Operation) -> dict[str, Any]:
    """What the page shows of it."""
    [made] = result.asset_materializations_for_node(f"maintenance__{operation}")
    return {name: value.value for name, value in made.metadata.items()}


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations()}
