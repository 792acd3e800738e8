"""A drill beside its source: equal, forged, gone, unreadable; it is never required."""

import errno
import io
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.proving import AgainstSource, TableProof, Verdict
from dp_assets.usecases.backup import source_proving
from dp_assets.usecases.backup.drilling import Drilled
from dp_assets_tests.faults.sabotage import ORDERS
from dp_assets_tests.usecases.backup.sources import Stage, make_stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return make_stage(tmp_path)


def proof_of(done: Drilled) -> TableProof:
    [proof] = done.proofs
    return proof


def with_another_value(file: Path) -> bytes:
    """The file with one more in one column of its rows."""
    rows, into = pq.ParquetFile(file).read(), io.BytesIO()
    at = rows.schema.get_field_index("qty")
    changed = pc.add(rows.column(at), pa.scalar(1, pa.int64()))
    pq.write_table(rows.set_column(at, rows.schema.field(at), changed), into, compression="zstd")
    return into.getvalue()


def test_a_copy_that_reads_like_its_source(stage: Stage) -> None:
    stage.back_up()
    done = stage.drill(everything=True)
    assert done.record.tables == {ORDERS: "proven"}
    assert (proof_of(done).source, proof_of(done).source_snapshots) == ("equal to the source", 3)
    assert done.warnings == ()


def test_only_the_source_knows_that_a_point_recorded_another_value(stage: Stage) -> None:
    """What came back, its hashes and its facts agree: the repository itself is wrong."""
    file = stage.data_files()[-1]
    forged = with_another_value(file)
    assert len(forged) == file.stat().st_size
    stage.back_up({str(file): forged})
    alone = stage.drill(source=False)
    assert (alone.record.proven, proof_of(alone).source) == (True, AgainstSource.NOT_COMPARED)
    beside = stage.drill()
    assert (beside.record.proven, proof_of(beside).verdict) == (False, Verdict.OTHER_SOURCE)
    head = stage.metadata()["current-snapshot-id"]
    assert beside.record.tables == {
        ORDERS: f"differs from the source; snapshot {head}: its 6 rows are not those of the source"
    }


def test_a_source_that_is_gone_is_not_missed(stage: Stage) -> None:
    stage.back_up()
    shutil.rmtree(stage.pointer.parents[1])
    done = stage.drill()
    assert (done.record.proven, done.warnings) == (True, ())
    assert proof_of(done).source == "source gone: not compared"


def test_a_killed_reader_of_the_source_is_a_warning(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage.back_up()
    (tmp_path / "impostor.py").write_text("import os; os.kill(os.getpid(), 9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(source_proving, "CHILD", "impostor")
    done = stage.drill()
    assert (done.record.proven, proof_of(done).source) == (True, AgainstSource.UNREADABLE)
    assert "killed (SIGKILL)" in done.warnings[0]


def test_a_restore_that_fails_leaves_a_row_and_raises(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.back_up()
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if "/warehouse/" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PermanentError, match="the disk is full"):
            stage.drill()
    [row] = stage.rows()
    assert (row["kind"], row["point"], row["complete"]) == ("drill", 1, False)
    assert "the disk is full" in str(row["problem"])
    assert not list(stage.settings.tmp_dir.glob("drill-*"))
