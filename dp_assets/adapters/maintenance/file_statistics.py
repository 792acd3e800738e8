"""Statistics of a new Parquet file as PyIceberg would write them into a manifest, and no less.

Counts and sizes are PyIceberg's own, out of the footer. It takes bounds from there as well, from
whichever row groups have some: DuckDB leaves them out where a row group holds a NaN or a long
string. PyIceberg's bounds would then be too narrow, and readers would skip rows. Such bounds, and
the counts of NaN, are asked of the data.

Source: Iceberg table specification, "Manifests" (bounds, NaN counts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    MetricModeTypes,
    StatsAggregator,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.types import DoubleType, FloatType, TimestampNanoType

from dp_assets.adapters.maintenance.column_bounds import Bounds, column_bounds
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source, quoted
from dp_assets.adapters.maintenance.row_lineage import is_lineage
from dp_assets.ports.compaction import FileStatistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import duckdb
    from pyiceberg.io.pyarrow import StatisticsCollector
    from pyiceberg.schema import Schema


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What a manifest says of a Parquet file, but for its path and partition."""

    size: int
    records: int
    statistics: FileStatistics
    split_offsets: tuple[int, ...]


def measure_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    schema: Schema,
    properties: Mapping[str, str],
) -> MeasuredFile:
    """Measure a file that was written by ``schema``, with at least one row.

    Args:
        connection: reads what its footer does not say.
        path: on a local disk.
        schema: that the file was written by.
        properties: of the table; they say which columns get bounds, and how long.
    """
    metadata = pq.read_metadata(path)
    plan = compute_statistics_plan(schema, dict(properties))
    ids = parquet_path_to_id_mapping(schema)
    found = data_file_statistics_from_parquet_metadata(metadata, plan, ids)
    said = found.to_serialized_dict()
    asked = _to_ask(
        metadata,
        {path: plan[ids[path]] for path in ids if ids[path] in _columns(schema)},
        nulls=said["null_value_counts"],
    )
    bounds = column_bounds(
        connection,
        parquet_source([str(path)]),
        [(quoted(one.collector.column_name), one.collector.iceberg_type) for one in asked],
    )
    return MeasuredFile(
        size=path.stat().st_size,
        records=metadata.num_rows,
        statistics=_statistics(said, zip(asked, bounds, strict=True)),
        split_offsets=tuple(said["split_offsets"]),
    )


def _statistics(
    said: Mapping[str, Any], answers: Iterable[tuple[_Asked, Bounds]]
) -> FileStatistics:
    """What the footer says, and in the place of it what was asked of the rows."""
    lower, upper = dict(said["lower_bounds"]), dict(said["upper_bounds"])
    nulls, nans = dict(said["null_value_counts"]), dict[int, int]()
    for one, known in answers:
        field_id = one.collector.field_id
        nulls[field_id] = known.nulls
        if one.is_float:
            nans[field_id] = known.nans
        lower.pop(field_id, None)
        upper.pop(field_id, None)
        least, greatest = one.serialized(known)
        lower |= {} if least is None else {field_id: least}
        upper |= {} if greatest is None else {field_id: greatest}
    return FileStatistics(
        column_sizes=_of_table(said["column_sizes"]),
        value_counts=_of_table(said["value_counts"]),
        null_counts=_of_table(nulls),
        nan_counts=nans,
        lower=_of_table(lower),
        upper=_of_table(upper),
    )


def _columns(schema: Schema) -> set[int]:
    """What bounds are asked of; nobody looks for rows by their lineage."""
    return {field.field_id for field in schema.fields if not is_lineage(field.field_id)}


def _of_table(said: Mapping[int, Any]) -> dict[int, Any]:
    return {field_id: value for field_id, value in said.items() if not is_lineage(field_id)}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A column that the footer does not say enough of."""

    collector: StatisticsCollector
    physical_type: str

    @property
    def is_float(self) -> bool:
        return isinstance(self.collector.iceberg_type, FloatType | DoubleType)

    def serialized(self, known: Bounds) -> tuple[bytes | None, bytes | None]:
        """Bounds by the column's metrics mode."""
        if self.collector.mode.type not in (MetricModeTypes.TRUNCATE, MetricModeTypes.FULL):
            return None, None
        aggregate = StatsAggregator(
            self.collector.iceberg_type, self.physical_type, self.collector.mode.length
        )
        # Both zeros are within the bounds: -0.0 is below 0.0 for Iceberg, and equal for engines.
        aggregate.update_min(-0.0 if self.is_float and known.least == 0 else known.least)
        aggregate.update_max(0.0 if self.is_float and known.greatest == 0 else known.greatest)
        return aggregate.min_as_bytes(), aggregate.max_as_bytes()


def _to_ask(
    metadata: pq.FileMetaData,
    collectors: Mapping[str, StatisticsCollector],
    *,
    nulls: Mapping[int, int],
) -> list[_Asked]:
    """Floats, for their NaN; columns of which a row group has values and no bounds.

    And nanoseconds, which Python's times do not have, so that PyIceberg's bounds are cut.

    What is inside a column has no bounds in PyIceberg, and the footer has its counts.
    """
    found: list[_Asked] = []
    for place in range(metadata.num_columns):
        chunks = [metadata.row_group(n).column(place) for n in range(metadata.num_row_groups)]
        collector = collectors.get(chunks[0].path_in_schema)
        if collector is None or collector.mode.type is MetricModeTypes.NONE:
            continue
        one = _Asked(collector, chunks[0].physical_type)
        bounded = collector.mode.type is not MetricModeTypes.COUNTS
        if (
            one.is_float
            or isinstance(collector.iceberg_type, TimestampNanoType)
            or collector.field_id not in nulls
            or (bounded and not all(_is_bounded(chunk) for chunk in chunks))
        ):
            found.append(one)
    return found


def _is_bounded(chunk: Any) -> bool:
    """Whether a column chunk has bounds, or no values to have some of."""
    statistics = chunk.statistics
    if statistics is None:
        return False
    only_nulls = statistics.has_null_count and statistics.null_count == chunk.num_values
    return only_nulls or statistics.has_min_max
