"""The pipeline's engine in this process: DuckDB over the source's files and the lake's tables."""

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.adapters.duckdb_transforms import split_by_day, transform
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.core.ids import TableId
from dp_assets.ports.pipeline import PipelineEngine
from dp_assets.ports.tables import TableSpec


class DuckDbPipeline(PipelineEngine):
    """Over an open reader, which the caller owns."""

    def __init__(self, reader: DuckDbReader, source: FlightsSource) -> None:
        self._reader = reader
        self._source = source

    def arriving(self, spec: TableSpec, days: Sequence[date]) -> Mapping[date, pa.Table]:
        return self._source.day_rows(self._reader.connection, spec, days)

    def arriving_whole(self, spec: TableSpec) -> pa.Table:
        return self._source.whole(self._reader.connection, spec)

    def derived(
        self, spec: TableSpec, *, inputs: Sequence[TableId], days: Sequence[date]
    ) -> Mapping[date, pa.Table]:
        self._reader.attach(inputs)
        rows = transform(self._reader.connection, spec, days=days)
        return split_by_day(rows, spec, days)

    def derived_whole(self, spec: TableSpec, *, inputs: Sequence[TableId]) -> pa.Table:
        self._reader.attach(inputs)
        return transform(self._reader.connection, spec, days=None)

    def stored(self, spec: TableSpec, days: Sequence[date] | None) -> pa.Table:
        source = self._reader.scan(spec.table)
        where = ""
        if days is not None and spec.day_column is not None:
            # BETWEEN prunes files by their statistics; a list alone does not.
            listed = ", ".join(f"DATE '{day}'" for day in days)
            where = (
                f" WHERE \"{spec.day_column}\" BETWEEN DATE '{min(days)}' AND DATE '{max(days)}'"
                f' AND "{spec.day_column}" IN ({listed})'
            )
        return self._reader.rows(f"SELECT * FROM {source}{where}", about=spec.table)
