"""`dp drill` and `dp recovery` on a real lakehouse, its backup made by `dp backup`."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import unchecked
from dp_assets.domains.backup.records import RECOVERY_POINTS
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.recovery import ProofRecord
from dp_assets.usecases.backup import proof_child, proof_jobs
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import make_things


@pytest.fixture
def saved(dp: Dp, lake: Lakehouse) -> Lakehouse:
    """A lakehouse of two tables with a recovery point."""
    make_things(lake.catalog)
    make_things(lake.catalog, name="others")
    assert dp("repo", "init").code == 0
    assert dp("backup").code == 0
    return lake


def proofs(lake: Lakehouse) -> list[ProofRecord]:
    store = LocalObjectStore(repository(lake))
    return [
        unchecked(ProofRecord, store.read(info.key), about=info.key)
        for info in store.list(layout.PROOFS)
    ]


def repository(lake: Lakehouse) -> Path:
    folder = local_path(lake.settings.repository.url)
    assert folder
    return folder


def rows(lake: Lakehouse) -> list[dict[str, object]]:
    batches = lake.spool.pending(RECOVERY_POINTS.table)
    return [dict(row) for row in lake.spool.read(batches) if row["kind"] == "drill"]


def leftovers(lake: Lakehouse) -> list[Path]:
    return list(lake.settings.tmp_dir.glob("drill-*"))


def test_a_point_is_restored_and_proven_with_the_source_gone(dp: Dp, saved: Lakehouse) -> None:
    shutil.rmtree(Path(str(saved.settings.warehouse.root).removeprefix("file://")))
    said = dp("drill", "--json")
    assert said.code == 0, said.err
    assert (said.json["proven"], said.json["scope"]) == (True, "sample")
    things = next(t for t in said.json["tables"] if t["table"] == "shop.things")
    assert (things["rows_point"], things["rows_restored"], things["verdict"]) == (24, 24, "proven")
    assert (things["source"], said.json["warnings"]) == ("source gone: not compared", [])
    [proof] = proofs(saved)
    assert (proof.point, proof.proven, proof.tables["shop.things"]) == (1, True, "proven")
    assert proof.seconds > 0
    [row] = rows(saved)
    assert (row["point"], row["complete"], row["tables"]) == (1, True, 2)
    assert leftovers(saved) == []


def test_for_people(dp: Dp, saved: Lakehouse) -> None:
    del saved
    said = dp("drill", "--everything")
    assert "PyIceberg 3 of 3; DuckDB 3 of 3  proven" in said.out
    assert "equal to the source (3 of 3)" in said.out
    assert "recovery time" in said.out
    assert "age of the point" in said.out


def test_some_tables_prove_no_point(dp: Dp, saved: Lakehouse) -> None:
    said = dp("drill", "--table", "shop.o*", "--no-source", "--json")
    assert (said.code, [t["table"] for t in said.json["tables"]]) == (0, ["shop.others"])
    assert said.json["tables"][0]["source"] == "not compared with the source"
    assert (said.json["recorded"], proofs(saved), rows(saved)) == (False, [], [])


def test_a_damaged_repository_ends_with_1_and_names_the_table(dp: Dp, saved: Lakehouse) -> None:
    folder = repository(saved) / "objects"
    parquet = next(
        path for path in folder.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"
    )
    content = bytearray(parquet.read_bytes())
    content[len(content) // 2] ^= 255
    parquet.write_bytes(content)
    said = dp("drill", "--json")
    assert (said.code, said.json["proven"]) == (1, False)
    verdicts = {t["table"]: t["verdict"] for t in said.json["tables"]}
    assert "not restored" in verdicts.values()
    assert [proof.proven for proof in proofs(saved)] == [False]
    assert leftovers(saved) == []


def test_a_killed_proof_is_a_failed_drill(
    dp: Dp, saved: Lakehouse, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    instead_of_the_proof(monkeypatch, home, "import os; os.kill(os.getpid(), 9)")
    said = dp("drill")
    assert said.code == 1
    assert "shop.things: the proof was killed (SIGKILL): most likely memory ran out" in said.out
    assert [proof.proven for proof in proofs(saved)] == [False]
    assert leftovers(saved) == []


def instead_of_the_proof(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """A program of ours where the proof would run."""
    (folder / "impostor.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(proof_jobs, "CHILD", "impostor")


def test_a_kept_copy_can_be_used_and_is_not_swept(dp: Dp, saved: Lakehouse) -> None:
    scratch = Path(dp("drill", "--keep", "--json").json["scratch"])
    assert dp("drill").code == 0
    found = dp("--config", str(scratch / "lake" / "lakehouse.yaml"), "tables", "--json")
    assert {"shop.things", "shop.others"} <= {row["table"] for row in found.json}
    assert leftovers(saved) == [scratch]


def test_what_a_killed_drill_left_is_swept_by_the_next(dp: Dp, saved: Lakehouse) -> None:
    pid = os.fork()
    if pid == 0:
        from dp_assets.usecases.backup.drill_scratch import scratch_folder

        with scratch_folder(saved.settings, keep=False):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert len(leftovers(saved)) == 1
    assert dp("drill").code == 0
    assert leftovers(saved) == []


def test_an_unknown_point_is_bad_usage(dp: Dp, saved: Lakehouse) -> None:
    said = dp("drill", "--point", "7")
    assert (said.code, leftovers(saved)) == (2, [])
    assert "there is no recovery point 7" in said.err


def test_the_page_before_and_after_a_drill(dp: Dp, saved: Lakehouse) -> None:
    before = dp("recovery")
    assert before.code == 1
    assert "none: no drill has succeeded" in before.out
    assert dp("drill").code == 0
    make_things(saved.catalog, name="younger")
    after = dp("recovery", "--json")
    assert (after.code, after.json["good"]) == (0, True)
    assert (after.json["newest"]["number"], after.json["proven"]["number"]) == (1, 1)
    assert after.json["restore_seconds"] == proofs(saved)[0].seconds
    assert after.json["not_covered"] == [
        {"table": "shop.younger", "why": "not in point 1: excluded, or made since"}
    ]
    shown = dp("recovery").out
    assert "within RPO 1 h 0 min" in shown
    assert "within RTO 30 min 0 s" in shown


def test_the_page_with_the_lakehouse_gone(dp: Dp, saved: Lakehouse) -> None:
    dp("drill")
    database = saved.settings.state_dir / "catalog.db"
    saved.close()
    database.unlink()
    said = dp("recovery")
    assert "newest proven point  1 of" in said.out
    assert "tables outside of the point are not known" in said.out


def test_the_proof_opens_nothing_outside_of_the_scratch(
    dp: Dp, saved: Lakehouse, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """A copy whose metadata is that of the source: everything would be found, and is not read."""
    from dp_assets.usecases.backup import drilling

    source = Path(str(saved.settings.warehouse.root).removeprefix("file://"))
    pointer = saved.catalog.load_table("shop.things").metadata_location.removeprefix("file://")
    real: Callable[..., object] = drilling.write_jobs

    def damaged(repository: object, scratch: Path, plans: object) -> object:
        jobs = real(repository, scratch, plans)
        at = next(job for job in jobs if job.table == "shop.things").pointer
        Path(at.removeprefix("file://")).write_bytes(Path(pointer).read_bytes())
        return jobs

    monkeypatch.setattr(drilling, "write_jobs", damaged)
    said = dp("drill", "--json")
    assert said.code == 1
    things = next(t for t in said.json["tables"] if t["table"] == "shop.things")
    assert things["verdict"] != "proven"
    assert f"{source}" in " ".join(things["differences"])
    assert "outside of" in " ".join(things["differences"])


def test_the_child_is_a_module_of_ours() -> None:
    assert proof_child.__name__ == proof_jobs.CHILD
    assert sys.modules[proof_jobs.CHILD] is proof_child
