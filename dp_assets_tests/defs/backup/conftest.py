from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from dp_assets.core.units import now_ms
from dp_assets.defs.backup import assets, checks
from dp_assets.lakehouse import connect
from dp_assets.orchestration.recovery import today
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.initialising import initialise

SETTINGS = """
environment: test
replica: {url: second}
"""
PARTS = [
    *(assets.metastore_dump, assets.recovery_point, assets.verification),
    *(assets.drill, assets.retention, assets.replica),
    *(checks.dump_restores, checks.complete, checks.consistent_cut, checks.size_plausible),
    *(checks.fresh, checks.success_rate, checks.undamaged),
    *(checks.proven, checks.rto_within, checks.rpo_within, checks.lag_within),
]


@dataclass(frozen=True)
class Recovery:
    """A small lakehouse with a repository, and a Dagster instance beside it."""

    config: Path
    settings: Settings
    instance: dg.DagsterInstance

    @property
    def repository(self) -> Path:
        return self.config.parent / ".lakehouse" / "repository"

    def make(self, *names: str, partition: str = "") -> dg.ExecuteInProcessResult:
        """Materialize assets of backup/ with their checks."""
        return dg.materialize(
            PARTS,
            instance=self.instance,
            partition_key=partition or today(),
            selection=dg.AssetSelection.assets(*(["backup", name] for name in names)),
            resources={"house": LakehouseResource(config_file=str(self.config))},
            raise_on_error=False,
        )

    def data_files(self, table: str) -> list[Path]:
        warehouse = self.config.parent / ".lakehouse" / "warehouse"
        return sorted((warehouse / table.replace(".", "/")).rglob("*.parquet"))


@pytest.fixture
def recovery(tmp_path, monkeypatch):
    monkeypatch.delenv("DP_STATE", raising=False)
    config = tmp_path / "lakehouse.yaml"
    config.write_text(SETTINGS)
    monkeypatch.setenv("DP_CONFIG", str(config))
    settings = load_settings()
    initialise(settings)
    init_repository(settings, keys=None, now_ms=now_ms())
    catalog = connect(settings)
    catalog.create_namespace("shop")
    for name in ("shop.orders", "shop.items"):
        rows = pa.table({"id": pa.array(range(100), pa.int64())})
        catalog.create_table(name, rows.schema).append(rows)
    catalog.engine.dispose()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Recovery(config, settings, instance)


@pytest.fixture
def verdicts() -> Callable[[dg.ExecuteInProcessResult], dict[str, bool]]:
    """What the checks of a run said."""

    def of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
        return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}

    return of
