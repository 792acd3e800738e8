"""A small table with a contract of every kind of check, and rows that keep all of it."""

from datetime import UTC, date, datetime

import polars as pl
import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import (
    DateType,
    DoubleType,
    IntegerType,
    NestedField,
    StringType,
    TimestamptzType,
)

from dp_assets.core.ids import TableId
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.declare import accepted, in_range, matches, rule, schema_of
from dp_assets.domains.quality.judge import judge
from dp_assets.ports.tables import TableSpec

TRIPS = TableId("raw", "trips")
CITIES = TableId("raw", "cities")
DAY_1, DAY_2 = "2013-01-02", "2013-01-03"
NOW_MS = int(datetime(2013, 1, 10, 12, tzinfo=UTC).timestamp() * 1000)
TRIPS_SPEC = TableSpec(
    table=TRIPS,
    schema=Schema(
        NestedField(1, "day", DateType(), required=False),
        NestedField(2, "trip", IntegerType(), required=False),
        NestedField(3, "city", StringType(), required=False),
        NestedField(4, "kind", StringType(), required=False),
        NestedField(5, "started", TimestamptzType(), required=False),
        NestedField(6, "minutes", IntegerType(), required=False),
        NestedField(7, "speed", DoubleType(), required=False),
    ),
    comment="made up",
    key_columns=("day", "trip"),
    day_column="day",
)


@pytest.fixture(scope="session")
def trips() -> Contract:
    """Not null: day, trip, kind, speed. Three in ten cities may be unknown."""
    schema = schema_of(
        TRIPS_SPEC,
        not_null=("kind", "speed"),
        values={
            "kind": [accepted("kind", ("bus", "tram")), matches("kind", "[a-z]+")],
            "minutes": [in_range("minutes", 0, 100)],
            "speed": [in_range("speed", 0, 50)],
        },
        rules=[rule("tram_is_short", (pl.col("kind") != "tram") | (pl.col("minutes") <= 50))],
    )
    return Contract(
        table=TRIPS,
        schema=schema,
        key_columns=TRIPS_SPEC.key_columns,
        day_column="day",
        past_columns=("day", "started"),
        references={"city": Reference(CITIES, "name")},
        tolerances={"city_known": 0.3},
    )


@pytest.fixture
def rows() -> pl.DataFrame:
    """Twenty rows, ten on each of two days, that keep the whole contract."""
    days = [date.fromisoformat(d) for d in (DAY_1, DAY_2) for _ in range(10)]
    return pl.DataFrame(
        {
            "day": days,
            "trip": pl.Series(list(range(10)) * 2, dtype=pl.Int32),
            "city": ["Oslo", "Rome"] * 10,
            "kind": ["bus", "tram"] * 10,
            "started": [datetime(d.year, d.month, d.day, 8, tzinfo=UTC) for d in days],
            "minutes": pl.Series([30, 40] * 10, dtype=pl.Int32),
            "speed": [20.0, 30.0] * 10,
        },
        schema_overrides={"started": pl.Datetime("us", "UTC")},
    )


@pytest.fixture
def cities() -> dict[TableId, pa.Table]:
    return {CITIES: pa.table({"name": ["Oslo", "Rome"]})}


@pytest.fixture
def verdicts(trips, cities):
    """Judge a frame (or an Arrow table) for the days given, both by default."""

    def run(frame, days=(DAY_1, DAY_2), *, contract: Contract = trips, now_ms=NOW_MS):
        table = frame if isinstance(frame, pa.Table) else frame.to_arrow()
        found = judge(
            contract,
            table,
            partitions=days,
            snapshot_id=7,
            now_ms=now_ms,
            references=cities,
        )
        return dict(zip([v.partition for v in found], found, strict=True))

    return run
