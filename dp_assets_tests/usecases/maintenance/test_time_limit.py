"""An operation that takes longer than its policy allows stops where nothing is half done."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from dp_assets.adapters.iceberg_snapshot import stage_snapshot
from dp_assets.adapters.maintenance import manifest_merging
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.usecases.maintenance import compacting
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.maintaining import PLANNERS, maintain, plan
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.adapters.real_lakehouse import make_lakehouse, pointer_of

PARTS = TableId("raw", "parts")
SCHEMA = Schema(
    NestedField(1, "part", StringType(), required=False),
    NestedField(2, "id", LongType(), required=False),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "part"))
SAYS = {
    "dp.adopted": "true",
    "dp.maintenance.expiry.keep_days": "0",
    "dp.maintenance.expiry.keep_snapshots": "2",
    "dp.maintenance.compaction.timeout_minutes": "150",
}
COMMITS = 5


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return PreparedLake.make(tmp_path_factory.mktemp("late"), three_partitions)


@pytest.fixture
def settings(prepared):
    prepared.put_back()
    return prepared.settings


@pytest.fixture
def lake(settings):
    with opened(settings) as lake:
        yield lake


def three_partitions(folder):
    """Of five small files each, and an orphan."""
    settings = make_lakehouse(folder, commits=1)
    with opened(settings) as lake:
        table = lake.catalog.create_table(
            PARTS.identifier, SCHEMA, partition_spec=SPEC, properties=SAYS
        )
        for n in range(COMMITS):
            table.append(pa.table({"part": ["a", "b", "c"], "id": pa.array([n] * 3, pa.int64())}))
        orphan = Path(table.location().removeprefix("file://")) / "data" / "orphan.parquet"
        orphan.write_bytes(b"nobody names it")
    return settings


class Clock:
    """Stands still; three hours pass after so many answers, and others when told."""

    def __init__(self, *, answers: int = 1000) -> None:
        self._answers = answers
        self._now_ms = 0

    def __call__(self) -> int:
        if self._answers == 0:
            self._now_ms += 3 * HOUR_MS
        self._answers -= 1
        return self._now_ms

    def pass_hours(self, hours: int) -> None:
        self._now_ms += hours * HOUR_MS


def planned(lake, operation):
    found = plan(lake, PARTS, operation, now_ms=now_ms() + 10 * DAY_MS)
    assert found.has_work
    return found


def journal(lake):
    return read_journal(lake, now_ms=now_ms() + 5).of(PARTS)


def files(lake):
    """How many each partition has, sorted."""
    table = lake.catalog.load_table(PARTS.identifier)
    parts = [task.file.partition[0] for task in table.scan().plan_files()]
    return sorted(map(parts.count, set(parts)))


def ids(lake):
    return sorted(lake.catalog.load_table(PARTS.identifier).scan().to_arrow()["id"].to_pylist())


ROWS = sorted([*range(COMMITS)] * 3)


def test_a_compaction_stops_between_two_groups_and_the_next_one_goes_on(lake, monkeypatch):
    """Each group takes two hours; within the second one 150 minutes are over."""
    work, clock, real = planned(lake, Operation.COMPACTION), Clock(), compacting.commit_compaction

    def commit(*given, **more):
        clock.pass_hours(2)
        return real(*given, **more)

    monkeypatch.setattr(compacting, "commit_compaction", commit)
    with pytest.raises(PermanentError) as raised:
        maintain(lake, work, run_id="run", clock=clock)
    assert "compaction of raw.parts stopped after 4 h 0 min between two groups" in raised.value.what
    assert "2 groups of " in raised.value.what
    assert raised.value.what.endswith(
        " left; timeout_minutes is 150 (property dp.maintenance.compaction.timeout_minutes)"
    )
    assert files(lake) == [1, 1, COMMITS]
    assert ids(lake) == ROWS
    (attempt,) = journal(lake)
    assert (attempt.outcome, attempt.problem) == (Outcome.FAILED, raised.value.what)
    last = planned(lake, Operation.COMPACTION)
    done = maintain(lake, last, run_id="next", clock=Clock(answers=1))  # late, but nothing is left
    assert (done.outcome, files(lake), ids(lake)) == (Outcome.DONE, [1, 1, 1], ROWS)


@pytest.mark.parametrize("operation", [one for one in PLANNERS if one is not Operation.COMPACTION])
def test_what_is_one_commit_stops_before_it(settings, lake, operation):
    work, before = planned(lake, operation), pointer_of(settings, PARTS)
    with pytest.raises(PermanentError, match=f"{operation} of raw.parts stopped after 3 h 0 min"):
        maintain(lake, work, run_id="late", clock=Clock(answers=1))
    assert pointer_of(settings, PARTS) == before
    assert open_trash(lake).all() == ()
    (attempt,) = journal(lake)
    assert attempt.outcome is Outcome.FAILED
    assert "nothing is done, all of it is left; timeout_minutes is 120 (default)" in attempt.problem
    done = maintain(lake, planned(lake, operation), run_id="next")
    assert done.outcome is Outcome.DONE


def test_a_wrong_commit_is_rolled_back_however_late_it_is(settings, lake, monkeypatch):
    def nothing(state, _lines, **more):
        return stage_snapshot(state, (), **more)

    monkeypatch.setattr(manifest_merging, "stage_snapshot", nothing)
    clock = Clock(answers=2)  # the begin, and right before the commit
    with pytest.raises(PermanentError, match="rolled back"):
        maintain(lake, planned(lake, Operation.MANIFESTS), run_id="late", clock=clock)
    assert ids(lake) == ROWS
