"""A process that kills runs of maintenance in Dagster right after the commit, and runs them again.

Arguments: folder, and the names of operations. Prints a JSON list. What is killed there has changed
the table, and neither Dagster nor the journal knows of it.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from dp_assets import keys
from dp_assets.adapters import iceberg_publish
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.units import now_ms
from dp_assets.defs.maintenance.operation_checks import operation_checks
from dp_assets.defs.maintenance.operations import operation_assets
from dp_assets.domains.maintenance.trash_records import TrashRecords
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.orchestration.operations import KEYS
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.own_work import own_snapshots
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse
from dp_assets_tests.adapters.table_checks import path_of
from dp_assets_tests.faults.forking import Moments, Work, must_run, run_child

COMMITS = 12
OLD_S = 10 * 86_400  # the age of the stray file
KEEP = {"dp.maintenance.expiry.keep_days": "0", "dp.maintenance.expiry.keep_snapshots": "2"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """What was recorded after a kill and the same run again.

    Attributes:
        runs: the killed one, the one after it.
        after_kill, after_again: the table and what is recorded of it, see :func:`seen`.
    """

    operation: str
    killed: bool
    runs: Sequence[str]
    after_kill: Json
    after_again: Json


def preparing(folder: Path) -> Work:
    """A table with work for every operation, in Dagster's list of tables."""

    def work(_: Moments) -> None:
        settings = make_lakehouse(folder, commits=COMMITS)
        with opened(settings) as lake:
            table = lake.catalog.load_table(ORDERS.identifier)
            table.transaction().set_properties(KEEP).commit_transaction()
            stray = path_of(table.location()) / "data" / "stray.parquet"
            stray.write_bytes(b"x")
            old_s = time.time() - OLD_S
            os.utime(stray, times=(old_s, old_s))
        (folder / "dagster").mkdir()
        with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
            instance.add_dynamic_partitions(str(keys.TABLES.name), [str(ORDERS)])

    return work


def running(settings: Settings, operation: Operation, *, killed: bool) -> Work:
    """The asset of the operation with its checks, killed right after its commit or not at all."""

    def work(moments: Moments) -> None:
        if killed:
            _kill_after_commit(moments, operation)
        with dg.DagsterInstance.local_temp(str(settings.path.parent / "dagster")) as instance:
            done = dg.materialize(
                [*operation_assets(), *operation_checks()],
                instance=instance,
                resources={"house": LakehouseResource(config_file=str(settings.path))},
                partition_key=str(ORDERS),
                selection=dg.AssetSelection.assets(KEYS[operation]),
                raise_on_error=False,
            )
        assert done.success

    return work


def _kill_after_commit(moments: Moments, operation: Operation) -> None:
    """The commit of a sweep for orphans is its record; the others move the pointer."""
    swap, put = iceberg_publish.swap_pointer, TrashRecords.put

    def swapped(*args: Any, **named: Any) -> None:
        swap(*args, **named)
        moments.killed_here()

    def recorded(*args: Any, **named: Any) -> None:
        put(*args, **named)
        moments.killed_here()

    if operation is Operation.ORPHANS:
        TrashRecords.put = recorded
    else:
        iceberg_publish.swap_pointer = swapped


def looking(settings: Settings, operation: Operation, report: Path) -> Work:
    """Write down the table, Dagster's record and the journal."""

    def work(_: Moments) -> None:
        with (
            dg.DagsterInstance.local_temp(str(settings.path.parent / "dagster")) as instance,
            opened(settings) as lake,
        ):
            runs = [record.dagster_run.run_id for record in instance.get_run_records()]
            events = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=KEYS[operation]), limit=10
            ).records
            made = [one.asset_materialization for one in events]
            found = seen(lake, operation, runs)
            found["recorded"] = [
                {name: value.value for name, value in one.metadata.items()} for one in made if one
            ]
        report.write_text(json.dumps({"runs": runs[::-1], **found}))

    return work


def seen(lake: Lakehouse, operation: Operation, runs: Sequence[str]) -> Json:
    """Pointer, head, each run's snapshots, what is in the trash, the journal's rows."""
    table = lake.catalog.load_table(ORDERS.identifier)
    metadata = json.loads(path_of(table.metadata_location).read_text())
    records = open_trash(lake).of(str(table.metadata.table_uuid))
    return {
        "pointer": existing_pointer(lake.catalog, ORDERS),
        "head": str(table.metadata.current_snapshot_id),
        "own": {run: len(own_snapshots(metadata, operation, run)) for run in runs},
        "trash": [record.id for record in records if record.operation is operation],
        "journal": [
            (one.run_id, str(one.outcome), one.pointer)
            for one in read_journal(lake, now_ms=now_ms()).of(ORDERS)
        ],
    }


def main(folder: Path, operations: Sequence[Operation]) -> list[Left]:
    house, prepared, report = folder / "lake", folder / "prepared", folder / "report"
    house.mkdir()
    must_run(preparing(house))
    shutil.copytree(house, prepared)
    settings = load_settings(house / "lakehouse.yaml", env={})
    found: list[Left] = []
    for operation in operations:
        shutil.rmtree(house)
        shutil.copytree(prepared, house)
        ended = run_child(running(settings, operation, killed=True))
        must_run(looking(settings, operation, report))
        after_kill = json.loads(report.read_text())
        must_run(running(settings, operation, killed=False))
        must_run(looking(settings, operation, report))
        again = json.loads(report.read_text())
        found.append(Left(str(operation), ended.killed, again["runs"], after_kill, again))
    return found


if __name__ == "__main__":
    done = main(Path(sys.argv[1]), [Operation(name) for name in sys.argv[2:]])
    sys.stdout.write(json.dumps([asdict(left) for left in done]))
