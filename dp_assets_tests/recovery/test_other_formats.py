"""A whole drill of tables that not every engine reads: nothing is called proven that is not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dp_assets.adapters.recovery.avro_generic import records, rewrite
from dp_assets.domains.backup.proving import AgainstSource, TableProof, Verdict
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings
from dp_assets.usecases.backup.drilling import Drilled, DrillWanted, Watch, drill
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import Target, find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import make_things
from dp_assets_tests.recovery.other_formats import Rows, build
from dp_assets_tests.usecases.backup.backups import backup, lakehouse, points_of
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import POINTERS, unpack_zoo

AVRO, ORC, EQUALITY, THINGS = "shop.avro", "shop.orc", "zoo.equality", "shop.things"


@dataclass(frozen=True)
class Stage:
    """A lakehouse with tables of several kinds, and a recovery point of them."""

    settings: Settings
    rows: dict[str, Rows]

    def drill(self, wanted: DrillWanted, restored: Callable[[Path], None] | None = None) -> Drilled:
        watch = Watch(restored=restored) if restored else Watch()
        repository = open_for_reading(self.settings)
        return drill(self.settings, repository, wanted, run_id="test", spool=None, watch=watch)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("formats")
    settings = lakehouse(folder, tables=())
    with opened(settings) as lake:
        make_things(lake.catalog)
        rows = {AVRO: build(lake, "AVRO"), ORC: build(lake, "ORC")}
    zoo = unpack_zoo(folder)
    source = new_repository(folder / "zoo-repository")
    add_point(source, {EQUALITY: POINTERS["equality"]}, read=zoo.files.read)
    target = Target(settings, str(settings.warehouse.root))
    assert not restore(source, target, plan_restore(source, target, Wanted())).refused
    assert backup(settings).record.complete
    return Stage(settings, rows)


@pytest.fixture(scope="module")
def drilled(stage: Stage) -> Drilled:
    return stage.drill(DrillWanted(everything=True))


def proof_of(done: Drilled, table: str) -> TableProof:
    return next(proof for proof in done.proofs if proof.table == table)


@pytest.mark.parametrize(
    ("table", "verdict", "rows", "by_pyiceberg", "by_duckdb"),
    [
        (THINGS, Verdict.PROVEN, 24, "PyIceberg 3 of 3", "DuckDB 3 of 3"),
        (ORC, Verdict.ONE_ENGINE, 7, "PyIceberg 3 of 3", "DuckDB 0 of 3 ("),
        (EQUALITY, Verdict.ONE_ENGINE, 50, "PyIceberg 1 of 3 (equality deletes", "DuckDB 3 of 3"),
        (AVRO, Verdict.NOT_READ, None, "PyIceberg 0 of 3 (AVRO data", "DuckDB 0 of 3 ("),
    ],
)
def test_each_table_is_called_what_it_is(
    drilled: Drilled,
    table: str,
    verdict: Verdict,
    rows: int | None,
    by_pyiceberg: str,
    by_duckdb: str,
) -> None:
    proof = proof_of(drilled, table)
    assert (proof.verdict, proof.differences, proof.rows_restored) == (verdict, (), rows)
    assert proof.engines[0].startswith(by_pyiceberg)
    assert proof.engines[1].startswith(by_duckdb)
    assert (proof.snapshots_restored, proof.files_restored) == (3, proof.files_point)
    read = rows is not None
    said = "everything: 3 of 3" if read else "nothing: 0 of 3"
    assert proof.coverage == f"{said} snapshots read"
    assert proof.source is (AgainstSource.EQUAL if read else AgainstSource.NOT_COMPARED)


def test_rows_that_no_engine_counts_are_known_from_manifests_and_deletes(stage: Stage) -> None:
    points = points_of(stage.settings)
    lines = points.manifest(points.record(1)).tables
    facts = next(points.content(one) for one in lines if one.table == AVRO).snapshots
    counted = [(one.rows, one.rows_by) for one in facts]
    assert counted == [(5, "manifests"), (10, "manifests"), (7, "delete files")]


def test_every_row_is_back(stage: Stage, tmp_path: Path) -> None:
    """ORC by PyIceberg; Avro here: rows, less those at the positions that the deletes name."""
    source, target = open_for_reading(stage.settings), find_target([str(tmp_path)], stage.settings)
    assert not restore(source, target, plan_restore(source, target, Wanted())).refused
    with opened(target.settings) as lake:
        found = lake.catalog.load_table(ORC).scan().to_arrow().to_pylist()
    assert sorted(found, key=lambda row: row["id"]) == stage.rows[ORC]
    rows: dict[tuple[str, int], Any] = {}
    folder = tmp_path / "warehouse/shop/avro/data"
    for path in (folder / "0.avro", folder / "1.avro"):
        for at, row in enumerate(records(path.read_bytes(), name=path.name)):
            rows[f"file://{path}", at] = row
    for row in records((folder / "deletes.avro").read_bytes(), name="deletes"):
        del rows[row["file_path"], row["pos"]]
    assert list(rows.values()) == stage.rows[AVRO]


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def naming_the_old_place(path: Path) -> None:
    def change(row: dict[str, Any]) -> None:
        row["file_path"] = row["file_path"].replace("/drill-", "/dr111-")

    path.write_bytes(rewrite(path.read_bytes(), change, name=path.name))


@pytest.mark.parametrize(
    ("file", "act"),
    [
        ("avro/data/1.avro", altered),
        ("orc/data/1.orc", altered),
        ("avro/data/deletes.avro", naming_the_old_place),
    ],
)
def test_a_copy_that_was_changed_is_caught_whoever_can_read_it(
    stage: Stage, file: str, act: Callable[[Path], None]
) -> None:
    table = f"shop.{file.partition('/')[0]}"
    wanted = DrillWanted(tables=(table,))
    done = stage.drill(wanted, lambda scratch: act(scratch / "lake/warehouse/shop" / file))
    assert (done.record.proven, proof_of(done, table).verdict) == (False, Verdict.DIFFERS)


def test_a_person_reads_it(stage: Stage, dp: Dp) -> None:
    said = dp("--config", str(stage.settings.path), "drill", "--no-source", "--json")
    assert said.code == 0, said.err
    assert {t["table"]: t["verdict"] for t in said.json["tables"]} == {
        AVRO: "restored, not proven by reading",
        ORC: "proven by one engine",
        THINGS: "proven",
        EQUALITY: "proven by one engine",
    }
