"""A range of days through the use case, on tables in memory; judged by real contracts."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pytest

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.columns import DATE, INTEGER, STRING, schema
from dp_assets.domains.pipeline.daily import DailyTable, Pipeline
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.declare import in_range, schema_of
from dp_assets.ports.tables import RunMark, TableSpec
from dp_assets_tests.fakes.lake import MemoryEngine, MemoryTables, MemoryWriter

COLUMNS = (("day", DATE, "Day."), ("id", INTEGER, "Number."), ("code", STRING, "Of a code."))
RAW = TableSpec(TableId("raw", "orders"), schema(*COLUMNS), "Orders.", ("id",), day_column="day")
OTHER = replace(RAW, table=TableId("raw", "other"))
CURATED = replace(RAW, table=TableId("curated", "orders"))
CODES = TableSpec(TableId("raw", "codes"), schema(("code", STRING, "Code.")), "Codes.", ("code",))
SPECS = (RAW, OTHER, CURATED, CODES)
ARRIVES = DailyTable(RAW)
DERIVED = DailyTable(CURATED, gates=(RAW,), reads=(RAW.table,))
MONDAY, TUESDAY, WEDNESDAY = "2013-01-07", "2013-01-08", "2013-01-09"
RUN = RunMark("root-1", "run-1")
RETRY = RunMark("root-1", "run-2")
NOW_MS = 1_700_000_000_000


def day_of(day: str, *ids: int, code: str = "a") -> pa.Table:
    return pa.table(
        {
            "day": pa.array([dt.date.fromisoformat(day)] * len(ids), pa.date32()),
            "id": pa.array(ids, pa.int32()),
            "code": pa.array([code] * len(ids), pa.string()),
        }
    )


def contract(table: TableId) -> Contract | None:
    spec = next(s for s in SPECS if s.table == table)
    if spec is CODES:
        return Contract(table, schema_of(CODES), CODES.key_columns)
    return Contract(
        table,
        schema_of(spec, values={"id": [in_range("id", 1, 99)]}),
        spec.key_columns,
        day_column="day",
        references={"code": Reference(CODES.table, "code")},
    )


@dataclass
class House:
    """A pipeline over tables in memory; codes are known before anything arrives."""

    source: Mapping[str | None, pa.Table]
    tables: MemoryTables = field(default_factory=MemoryTables)
    engine: MemoryEngine = field(init=False)
    writer: MemoryWriter = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.engine = MemoryEngine(self.tables, SPECS, source=self.source)
        self.writer = MemoryWriter(self.tables)
        self.pipeline = self.new_pipeline()
        self.pipeline.replace_whole(CODES, pa.table({"code": ["a", "b"]}), run=RUN)

    def new_pipeline(self) -> Pipeline:
        return Pipeline(
            engine=self.engine,
            writer=self.writer,
            contract_for=contract,
            spec_for=lambda table: next(s for s in SPECS if s.table == table),
            now_ms=lambda: NOW_MS,
        )

    def ids(self, spec: TableSpec) -> Mapping[str | None, Sequence[int]]:
        parts = self.tables.rows.get(spec.table, {})
        return {day: rows["id"].to_pylist() for day, rows in parts.items()}


@pytest.fixture
def house() -> House:
    """Tuesday has an order number that cannot be."""
    return House(
        {
            MONDAY: day_of(MONDAY, 1, 2),
            TUESDAY: day_of(TUESDAY, 300),
            WEDNESDAY: day_of(WEDNESDAY, 4),
        }
    )


THREE = (MONDAY, TUESDAY, WEDNESDAY)


def test_every_arriving_day_is_written_and_judged_also_a_bad_one(house: House):
    result = house.pipeline.build(ARRIVES, THREE, run=RUN)
    assert house.ids(RAW) == {MONDAY: [1, 2], TUESDAY: [300], WEDNESDAY: [4]}
    assert {day: v.refused for day, v in result.verdicts.items()} == {
        MONDAY: False,
        TUESDAY: True,
        WEDNESDAY: False,
    }
    assert result.left_out == {}
    assert set(result.written) == set(THREE)


def test_a_refused_day_is_left_out_downstream_with_the_reason(house: House):
    house.pipeline.build(ARRIVES, THREE, run=RUN)
    result = house.pipeline.build(DERIVED, THREE, run=RUN)
    assert house.ids(CURATED) == {MONDAY: [1, 2], WEDNESDAY: [4]}
    assert result.left_out == {TUESDAY: "raw.orders broke id_in_range"}
    assert set(result.verdicts) == set(result.written) == {MONDAY, WEDNESDAY}


def test_a_refused_day_keeps_what_it_held(house: House):
    house.writer.ensure(CURATED)
    house.writer.replace(CURATED, day_of(TUESDAY, 7), partition=TUESDAY, run=RUN)
    house.pipeline.build(ARRIVES, THREE, run=RUN)
    house.pipeline.build(DERIVED, THREE, run=RUN)
    assert house.ids(CURATED)[TUESDAY] == [7]


def test_a_day_without_rows_is_refused_unless_the_contract_allows_it(house: House):
    house.engine.source = {MONDAY: day_of(MONDAY)}
    house.pipeline.build(ARRIVES, [MONDAY], run=RUN)
    result = house.pipeline.build(DERIVED, [MONDAY], run=RUN)
    assert result.left_out == {MONDAY: "raw.orders broke has_rows"}


def test_nothing_arrives_for_no_days(house: House):
    result = house.pipeline.build(ARRIVES, [], run=RUN)
    assert (result.written, result.verdicts, result.left_out) == ({}, {}, {})
    assert house.ids(RAW) == {}


def test_references_are_read_as_they_are_now(house: House):
    house.engine.source = {MONDAY: day_of(MONDAY, 1, code="c")}
    result = house.pipeline.build(ARRIVES, [MONDAY], run=RUN)
    assert result.verdicts[MONDAY].refused
    house.pipeline.replace_whole(CODES, pa.table({"code": ["c"]}), run=RUN)
    again = house.new_pipeline().build(ARRIVES, [MONDAY], run=RUN)
    assert not again.verdicts[MONDAY].refused


def test_every_gate_counts_and_the_first_reason_is_named(house: House):
    house.pipeline.build(ARRIVES, THREE, run=RUN)
    numbers = {MONDAY: 500, TUESDAY: 5, WEDNESDAY: 6}
    house.engine.source = {day: day_of(day, number) for day, number in numbers.items()}
    house.pipeline.build(DailyTable(OTHER), THREE, run=RUN)
    gates = house.pipeline.refused((RAW, OTHER), THREE)
    assert gates == {
        MONDAY: "raw.other broke id_in_range",
        TUESDAY: "raw.orders broke id_in_range",
    }


def test_a_snapshot_is_judged_once_and_the_next_one_again(house: House):
    house.pipeline.build(ARRIVES, THREE, run=RUN)
    house.engine.reads.clear()
    house.pipeline.refused((RAW,), THREE)
    assert house.engine.reads == []
    house.engine.source = {TUESDAY: day_of(TUESDAY, 3)}
    house.pipeline.build(ARRIVES, [TUESDAY], run=RETRY)
    assert house.pipeline.refused((RAW,), THREE) == {}


def test_the_rows_are_read_back_not_trusted(house: House):
    """What another writer left in the day is judged too."""
    house.pipeline.build(ARRIVES, [MONDAY], run=RUN)
    house.writer.replace(RAW, day_of(MONDAY, 1, 999), partition=MONDAY, run=RETRY)
    assert house.pipeline.refused((RAW,), [MONDAY]) == {MONDAY: "raw.orders broke id_in_range"}


def test_the_lease_is_held_over_the_whole_range_and_given_back(house: House):
    house.writer.loses = 1
    with pytest.raises(TransientError, match=r"raw\.orders lost a race"):
        house.pipeline.build(ARRIVES, THREE, run=RUN)
    assert house.writer.holding == set()


def test_a_retry_of_the_run_repeats_only_what_is_missing(house: House):
    house.pipeline.build(ARRIVES, [MONDAY], run=RUN)
    result = house.pipeline.build(ARRIVES, THREE, run=RETRY)
    assert {day: w.repeated for day, w in result.written.items()} == {
        MONDAY: True,
        TUESDAY: False,
        WEDNESDAY: False,
    }
    assert house.tables.commits[RAW.table] == len(THREE)


def test_a_whole_table_is_replaced_and_judged(house: House):
    house.engine.source = {None: pa.table({"code": ["x", "x"]})}
    written = house.pipeline.build_whole(CODES, reads=(), run=RUN)
    assert written.rows == 2
    assert [o.check for o in house.pipeline.verdict(CODES).outcomes if o.refuses] == ["key_unique"]


def test_a_table_without_a_contract_is_an_error_and_no_pass(house: House):
    house.pipeline.contract_for = lambda _: None
    with pytest.raises(PermanentError, match=r"raw\.orders has no contract"):
        house.pipeline.build(ARRIVES, [MONDAY], run=RUN)
