from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from dp_assets.core.errors import OutcomeUnknownError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.spool_flush import Flushed, due, flush, quietly
from dp_assets.ports.tables import RunMark, TableSpec, TableWriter, Written
from dp_assets_tests.fakes.spool import MemorySpool

RESULTS = TableId("ops", "results")
SPEC = TableSpec(
    table=RESULTS,
    schema=Schema(NestedField(1, "n", LongType(), True)),
    comment="numbers",
    key_columns=("n",),
)


@dataclass
class AppendingWriter(TableWriter):
    """A table in memory; ``breaks`` is raised after the commit landed, ``busy`` before anything."""

    rows: list[int] = field(default_factory=list)
    landed: list[str] = field(default_factory=list)
    commits: int = 0
    breaks: Exception | None = None
    busy: Exception | None = None

    def ensure(self, spec: TableSpec) -> None: ...

    def exists(self, table: TableId) -> bool:
        return True

    def replace(
        self, spec: TableSpec, rows: pa.Table, *, partition: str | None, run: RunMark
    ) -> Written:
        raise NotImplementedError

    def append(self, spec: TableSpec, rows: pa.Table, *, batches: tuple[str, ...]) -> int:
        self.rows += rows["n"].to_pylist()
        self.landed += batches
        self.commits += 1
        if self.breaks:
            raise self.breaks
        return self.commits

    def landed_batches(self, table: TableId) -> frozenset[str]:
        return frozenset(self.landed)

    @contextmanager
    def hold(self, table: TableId) -> Generator[None, None, None]:
        if self.busy:
            raise self.busy
        yield

    def version(self, table: TableId) -> str:
        return str(self.commits)

    def head(self, table: TableId) -> int | None:
        return self.commits or None


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool()


@pytest.fixture
def writer() -> AppendingWriter:
    return AppendingWriter()


def test_all_batches_reach_the_table_in_one_commit(spool: MemorySpool, writer: AppendingWriter):
    for number in range(3):
        spool.add(RESULTS, [{"n": number}, {"n": number + 10}])
    spool.add(TableId("ops", "other"), [{"x": 1}])
    flushed = flush(spool, writer, SPEC)
    assert flushed == Flushed(RESULTS, snapshot_id=1, rows=6, written=("0001", "0002", "0003"))
    assert writer.rows == [0, 10, 1, 11, 2, 12]
    assert spool.tables() == (TableId("ops", "other"),)


def test_nothing_waiting_makes_no_commit_and_takes_no_lease(spool: MemorySpool):
    writer = AppendingWriter(busy=TransientError("held", hint="wait"))
    assert flush(spool, writer, SPEC) == Flushed(RESULTS)
    assert writer.commits == 0


def test_an_unknown_outcome_is_settled_by_the_names_in_the_table(
    spool: MemorySpool, writer: AppendingWriter
):
    spool.add(RESULTS, [{"n": 1}])
    writer.breaks = OutcomeUnknownError("broke off", hint="look")
    with pytest.raises(OutcomeUnknownError):
        flush(spool, writer, SPEC)
    writer.breaks = None
    spool.add(RESULTS, [{"n": 2}])
    flushed = flush(spool, writer, SPEC)
    assert (flushed.found_landed, flushed.written) == (("0001",), ("0002",))
    assert writer.rows == [1, 2]
    assert spool.tables() == ()


def test_only_landed_ones_make_no_commit(spool: MemorySpool, writer: AppendingWriter):
    spool.add(RESULTS, [{"n": 1}])
    writer.landed = ["0001"]
    assert flush(spool, writer, SPEC) == Flushed(RESULTS, found_landed=("0001",))
    assert writer.commits == 0
    assert spool.tables() == ()


def test_rows_that_do_not_fit_are_set_aside_and_block_nobody(
    spool: MemorySpool, writer: AppendingWriter
):
    spool.add(RESULTS, [{"n": 1}])
    spool.add(RESULTS, [{"n": 2}, {"n": "three"}])
    spool.add(RESULTS, [{"n": 4}])
    assert flush(spool, writer, SPEC).set_aside == ("0002",)
    assert writer.rows == [1, 4]
    assert "row 1, column n: 'three' is not exactly long" in spool.aside["0002"]


def test_a_lost_race_keeps_the_batches(spool: MemorySpool):
    spool.add(RESULTS, [{"n": 1}])
    busy = AppendingWriter(busy=TransientError("held", hint="wait"))
    with pytest.raises(TransientError):
        flush(spool, busy, SPEC)
    assert [b.name for b in spool.pending(RESULTS)] == ["0001"]


@pytest.mark.parametrize(
    ("last_ms", "expected"),
    [
        pytest.param(None, True, id="never-before"),
        pytest.param(401, False, id="too-soon"),
        pytest.param(400, True, id="the-limit-is-inclusive"),
        pytest.param(1000, False, id="just-now"),
        pytest.param(1001, True, id="clock-was-set-back"),
    ],
)
def test_due(last_ms: int | None, expected: bool):
    assert due(last_ms, now_ms=1000, every_ms=600) is expected


def raising(error: Exception) -> None:
    raise error


def test_quietly_makes_one_line_of_what_must_not_fail_the_operation():
    full = OSError(28, "No space left on device", "/spool")
    assert quietly("keep 3 rows", lambda: None) is None
    assert (
        quietly("keep 3 rows", lambda: raising(full))
        == "keep 3 rows: [Errno 28] No space left on device: '/spool'"
    )
    refused = PermanentError("no table ops.results", hint="run 'dp init'")
    assert (
        quietly("flush ops.results", lambda: raising(refused))
        == "flush ops.results: no table ops.results (run 'dp init')"
    )


def test_quietly_lets_bugs_through():
    with pytest.raises(ZeroDivisionError):
        quietly("keep 3 rows", lambda: raising(ZeroDivisionError()))
