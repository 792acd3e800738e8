"""The prover proven: ``python -m dp_assets_tests.faults.sabotage`` prints what a drill says.

Each sabotage happens after the restore and before the proof, in a drill of its own. The exit code
is 0 when every one of them was caught and named.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import FloatType, LongType, NestedField

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.proving import TableProof
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.reading import Engine
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.drill_scratch import scratch_folder
from dp_assets.usecases.backup.drilling import Drilled, DrillWanted, Watch, drill
from dp_assets.usecases.backup.proof_child import ProofJob, run
from dp_assets.usecases.backup.proof_jobs import write_jobs
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets.usecases.backup.table_proving import TableJob
from dp_assets_tests.faults.damaged_copy import DamagedCopy
from dp_assets_tests.faults.sabotages import SABOTAGES, Sabotage
from dp_assets_tests.usecases.backup.proven_points import commit_point, store_table
from dp_assets_tests.usecases.backup.table_points import new_repository
from dp_assets_tests.zoo import expected_rows, unpack_zoo

ORDERS = "shop.orders"
ZOO = ("compacted", "equality", "stats", "v1_plain", "v2_mor", "v3_dv")


@dataclass(frozen=True)
class Restored:
    """A restored copy of everything, and what to compare each table with."""

    scratch: Path
    jobs: Mapping[str, TableJob]

    def prove(self, table: str) -> TableProof:
        """As the process of a drill does it."""
        said: list[dict[str, Any]] = []
        run(ProofJob(str(self.scratch), (self.jobs[table],), everything=True, seed=""), said.append)
        [proof] = [line["table"] for line in said if "table" in line]
        return TypeAdapter(TableProof).validate_python(proof)

    @contextmanager
    def as_it_was(self, table: str) -> Generator[DamagedCopy, None, None]:
        """The copy of a table, put back as it was afterwards."""
        folder, saved = Path(one_spelling(self.jobs[table].location)), self.scratch / "saved"
        shutil.copytree(folder, saved)
        try:
            yield DamagedCopy(self.jobs[table].pointer)
        finally:
            shutil.rmtree(folder)
            saved.rename(folder)


@dataclass(frozen=True)
class Stage:
    """A repository with one point of several tables; the tables themselves are gone."""

    settings: Settings
    repository: Repository

    @contextmanager
    def restored(self) -> Generator[Restored, None, None]:
        """All tables restored once, to be proven in this process: no drill, but fast."""
        with scratch_folder(self.settings, keep=False) as scratch:
            target = find_target([str(scratch / "lake")], self.settings)
            plan = plan_restore(self.repository, target, Wanted())
            tables = restore(self.repository, target, plan).tables
            jobs = write_jobs(self.repository, scratch, [table.plan for table in tables])
            yield Restored(scratch, {job.table: job for job in jobs})

    def drill(self, table: str, sabotage: Callable[[DamagedCopy], object] | None = None) -> Drilled:
        """A drill of one table, damaged between restore and proof."""

        def restored(scratch: Path) -> None:
            if sabotage:
                sabotage(DamagedCopy(pointer_in(scratch, table)))

        return drill(
            self.settings,
            self.repository,
            DrillWanted(tables=(table,), everything=True),
            run_id="test",
            spool=None,
            watch=Watch(restored=restored),
        )


def build_stage(folder: Path) -> Stage:
    """Zoo tables written by Spark and one table written by PyIceberg, backed up."""
    zoo = unpack_zoo(folder)
    repository = new_repository(folder / "repository")
    tables = [
        store_table(repository, f"zoo.{n}", zoo.table(n), zoo.files, rows=expected_rows(n))
        for n in ZOO
    ]
    tables.append(store_table(repository, ORDERS, make_orders(folder / "src"), LocalLakeFiles()))
    commit_point(repository, tuple(tables), cut_at_ms=now_ms())
    return Stage(load_settings(env={"DP_STATE": str(folder / "state")}), repository)


def make_orders(folder: Path) -> str:
    """A table of three commits, partitioned, with a tag; its pointer."""
    folder.mkdir()
    catalog = SqlCatalog("src", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}/wh")
    catalog.create_namespace("shop")
    schema = Schema(
        NestedField(1, "id", LongType(), required=False),
        NestedField(2, "day", LongType(), required=False),
        NestedField(3, "qty", LongType(), required=False),
        NestedField(4, "price", FloatType(), required=False),
    )
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))
    table = catalog.create_table(ORDERS, schema, partition_spec=spec)
    for day in (10, 11, 12):
        rows = {"id": [day, day + 1], "day": [day, day], "qty": [1, None], "price": [0.5, -0.0]}
        table.append(pa.table(rows, schema=table.schema().as_arrow()))
    first = table.snapshots()[0].snapshot_id
    table.manage_snapshots().create_tag(first, "audited").commit()
    catalog.close()
    return table.metadata_location


def pointer_in(scratch: Path, table: str) -> str:
    """The metadata file of a restored table."""
    namespace, _, name = table.partition(".")
    found = scratch.glob(f"lake/warehouse/{namespace}/{name}/**/*.metadata.json")
    return str(next(found))


def noticed(proof: TableProof) -> str:
    """Who noticed: the comparison of facts, an engine alone, or two that disagree."""
    who: set[str] = set()
    for said in proof.differences:
        engines = [str(engine) for engine in Engine if str(engine) in said]
        who.add("disagreement" if len(engines) == 2 else engines[0] if engines else "facts")
    return ", ".join(sorted(who, key=("facts", *Engine, "disagreement").index))


def is_caught(sabotage: Sabotage, proof: TableProof) -> bool:
    """The table is named, and what differs."""
    as_recorded = proof.verdict.is_as_recorded or proof.table != sabotage.table
    return not as_recorded and sabotage.named in proof.said


def miscounted(proof: TableProof) -> set[Engine]:
    """Engines that read another number of rows than was recorded, without an error."""
    wrong = [said for said in proof.differences if "were recorded by" in said]
    return {engine for engine in Engine for said in wrong if f"{engine} reads" in said}


def main() -> int:
    """Drill with every sabotage; print the table."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        stage = build_stage(Path(folder))
        print(f"{'sabotage':<56}{'table':<15}{'caught':<8}{'noticed by':<42}first said")  # noqa: T201
        for one in SABOTAGES:
            drilled = stage.drill(one.table, one.act)
            [proof] = drilled.proofs
            caught = is_caught(one, proof) and not drilled.record.proven
            missed += not caught
            said = (proof.differences or ("nothing",))[0].replace(folder, "")
            word = "yes" if caught else "NO"
            print(f"{one.what:<56}{one.table:<15}{word:<8}{noticed(proof):<42}{said}")  # noqa: T201
    print(f"\n{len(SABOTAGES) - missed} of {len(SABOTAGES)} caught")  # noqa: T201
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
