"""What becomes of reading a source: gone, expired, replaced, damaged, silent."""

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.recovery.duckdb_proof import open_connection
from dp_assets.domains.backup.points import Points
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.reading import Engine
from dp_assets.ports.recovery import FileKind
from dp_assets.usecases.backup.source_reading import SourceJob, SourceReader
from dp_assets_tests.faults.sabotage import ORDERS
from dp_assets_tests.usecases.backup.sources import Expiring, Silent, Stage, make_stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return make_stage(tmp_path)


def reading(stage: Stage, *, files: LakeFiles) -> tuple[SourceReader, SourceJob]:
    """A reader of the source in this process, and what it is to read."""
    folder = stage.settings.tmp_dir / "reading"
    folder.mkdir(parents=True)
    points = Points(stage.repository)
    [line] = points.manifest(points.record(1)).tables
    content = points.content(line)
    [metadata] = [one for one in content.files if one.file.kind is FileKind.METADATA]
    assert line.content
    for name, ref in (("content", line.content), ("metadata", metadata.ref)):
        (folder / name).write_bytes(stage.repository.read(ref))
    connection = open_connection(folder, memory_limit="100MB", threads=1)
    reader = SourceReader(files, ReadingIO(), connection, doing=lambda text: None)
    wanted = tuple((fact.snapshot_id, Engine.DUCKDB) for fact in content.snapshots)
    return reader, SourceJob(ORDERS, str(folder / "content"), str(folder / "metadata"), wanted)


def found(stage: Stage, *, files: LakeFiles | None = None) -> list[str]:
    """What became of each snapshot of the point, oldest first."""
    reader, job = reading(stage, files=files or LocalLakeFiles())
    return [
        "read" if one.reading else "problem" if one.problem else "gone" for one in reader.read(job)
    ]


def lose_all(stage: Stage) -> None:
    shutil.rmtree(stage.pointer.parents[1])


def lose_lists(stage: Stage) -> None:
    for path in stage.lists():
        path.unlink()


@pytest.mark.parametrize("lose", [lose_all, lose_lists])
def test_every_way_of_being_gone(stage: Stage, lose: Callable[[Stage], None]) -> None:
    stage.back_up()
    lose(stage)
    assert found(stage) == ["gone", "gone", "gone"]


def test_what_expired_is_not_compared_and_the_rest_is(stage: Stage) -> None:
    stage.back_up()
    stage.lists()[0].unlink()
    assert found(stage) == ["gone", "read", "read"]


def test_old_metadata_may_be_gone_before_its_snapshots(stage: Stage) -> None:
    stage.back_up()
    stage.pointer.unlink()
    assert found(stage) == ["read", "read", "read"]


def test_another_table_in_its_place_is_not_taken_for_it(stage: Stage) -> None:
    """Hadoop catalogs number metadata files: a table made again has the same names."""
    stage.back_up()
    other = stage.metadata() | {"table-uuid": str(uuid4()), "snapshots": []}
    stage.pointer.write_text(json.dumps(other))
    assert found(stage) == ["read", "read", "read"]


def test_a_snapshot_that_expires_while_it_is_read_is_gone(stage: Stage) -> None:
    stage.back_up()
    lose_data(stage)
    assert found(stage, files=Expiring({})) == ["read", "read", "gone"]


def test_zipped_metadata_is_read_too(stage: Stage) -> None:
    zipped = stage.pointer.with_name("00009-x.gz.metadata.json")
    zipped.write_bytes(gzip.compress(stage.pointer.read_bytes()))
    moved = replace(stage, pointer=zipped)
    moved.back_up()
    assert found(moved) == ["read", "read", "read"]


def damage_data(stage: Stage) -> None:
    stage.data_files()[-1].write_bytes(b"not Parquet")


def lose_data(stage: Stage) -> None:
    stage.data_files()[-1].unlink()


@pytest.mark.parametrize("damage", [damage_data, lose_data])
def test_one_damaged_file_of_the_source_is_a_problem_of_its_snapshots(
    stage: Stage, damage: Callable[[Stage], None]
) -> None:
    stage.back_up()
    damage(stage)
    assert found(stage) == ["read", "read", "problem"]


def test_damaged_metadata_of_the_source_is_a_problem(stage: Stage) -> None:
    stage.back_up()
    stage.pointer.write_bytes(b"{")
    assert found(stage) == ["problem", "problem", "problem"]


def test_nobody_waits_twice_for_a_store_that_does_not_answer(stage: Stage) -> None:
    stage.back_up()
    files = Silent({})
    reader, job = reading(stage, files=files)
    assert {read.problem for read in (*reader.read(job), *reader.read(job))} == {"no answer"}
    assert files.asked == 1
