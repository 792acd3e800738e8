"""A commit that is wrong is seen by reading it back, and undone while that can be done."""

from collections.abc import Callable, Generator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.maintenance import replace_manifests
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.errors import OutcomeUnknownError, PermanentError, TransientError
from dp_assets.ports.compaction import RewrittenGroup, WrittenFile
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import path_of
from dp_assets_tests.usecases.maintenance.compacting import (
    around,
    commit,
    compact,
    plan_all,
    rewrite_all,
    written,
)
from dp_assets_tests.usecases.maintenance.things import NAME, Things, rows

ALL = [*range(1, 7), *range(11, 17)]


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """A real lakehouse without tables."""
    with Lake(tmp_path) as opened:
        yield opened


@pytest.fixture
def things(lake: Lake) -> Things:
    return Things(lake).make()


def once(step: str, does: Callable[[], object]) -> Callable[[str], None]:
    todo = [does]

    def failpoint(at: str) -> None:
        if at == step and todo:
            todo.pop()()

    return failpoint


def _wrong_number(file: WrittenFile, partition: object) -> dict[str, object]:
    return {**_DATA_FILE(file, partition), "record_count": file.records + 1}  # pyright: ignore[reportArgumentType]


_DATA_FILE = replace_manifests._data_file


def test_a_wrong_commit_is_rolled_back(things: Things, monkeypatch: pytest.MonkeyPatch):
    parent = things.raw["current-snapshot-id"]
    monkeypatch.setattr(replace_manifests, "_data_file", _wrong_number)
    with pytest.raises(PermanentError, match=r"not what was written.*rolled back"):
        compact(things.lake.catalog, NAME)
    assert things.raw["current-snapshot-id"] == parent
    assert things.ids() == ALL


def test_a_wrong_commit_that_others_built_on_is_for_a_person(
    things: Things, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replace_manifests, "_data_file", _wrong_number)
    plan = plan_all(NAME, things.pointer)
    after = once("committed", lambda: things.table.append(rows("a", [7])))
    with pytest.raises(OutcomeUnknownError, match="could not be rolled back"):
        commit(around(things.lake.catalog, failpoint=after), plan, rewrite_all(plan))
    assert things.ids() == sorted([*ALL, 7])


def test_rows_that_were_lost_in_the_rewrite_are_seen(things: Things):
    """Should the rewrite's own proof ever fail: the group has one row less than its inputs."""
    plan = plan_all(NAME, things.pointer)
    parent = plan.snapshot_id
    short = [_without_a_row(one) for one in rewrite_all(plan)]
    with pytest.raises(PermanentError, match=r"6 rows of .* are 5"):
        commit(around(things.lake.catalog), plan, short)
    assert things.raw["current-snapshot-id"] == parent
    assert things.ids() == ALL


def _without_a_row(one: RewrittenGroup) -> RewrittenGroup:
    (file,) = one.written
    path = path_of(file.path)
    pq.write_table(pq.ParquetFile(path).read().slice(1), path)
    size = path.stat().st_size
    said = WrittenFile(file.path, size, file.records - 1, file.statistics, (4,))
    return RewrittenGroup(one.group, (said,))


def test_a_new_file_that_is_gone_is_seen(things: Things):
    plan = plan_all(NAME, things.pointer)
    rewritten = rewrite_all(plan)
    written(rewritten)[0].unlink()
    with pytest.raises(PermanentError, match=r"bytes that were written.*rolled back"):
        commit(around(things.lake.catalog), plan, rewritten)
    assert things.table.scan().to_arrow().num_rows == len(ALL)


def test_a_proof_that_cannot_read_is_no_proof(things: Things, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object, **__: object) -> None:
        raise TransientError("the disk is away", hint="wait")

    plan = plan_all(NAME, things.pointer)
    after = once("committed", lambda: monkeypatch.setattr(LocalLakeFiles, "stat", away))
    with pytest.raises(OutcomeUnknownError, match="committed but not proven"):
        commit(around(things.lake.catalog, failpoint=after), plan, rewrite_all(plan))
    monkeypatch.undo()
    assert things.ids() == ALL
