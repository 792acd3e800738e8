"""Tables in memory, with the writer and the engine of a pipeline over them."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import schema_to_pyarrow

from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId
from dp_assets.ports.pipeline import PipelineEngine
from dp_assets.ports.tables import RunMark, TableSpec, TableWriter, Written


@dataclass
class MemoryTables:
    """Table -> partition -> rows, and how many commits each table had."""

    rows: dict[TableId, dict[str | None, pa.Table]] = field(default_factory=dict)
    commits: dict[TableId, int] = field(default_factory=dict)

    def all_of(self, spec: TableSpec) -> pa.Table:
        parts = self.rows.get(spec.table, {}).values()
        empty = schema_to_pyarrow(spec.schema, include_field_ids=False).empty_table()
        return pa.concat_tables([empty, *parts], promote_options="permissive")


@dataclass
class MemoryWriter(TableWriter):
    """Recognises a landed commit by root run and rows; ``loses`` fails that many replacements."""

    tables: MemoryTables
    loses: int = 0
    ensured: list[TableId] = field(default_factory=list)
    holding: set[TableId] = field(default_factory=set)
    _landed: dict[tuple[TableId, str | None], tuple[str, pa.Table, int]] = field(
        default_factory=dict
    )

    def ensure(self, spec: TableSpec) -> None:
        self.ensured.append(spec.table)
        self.tables.rows.setdefault(spec.table, {})

    def exists(self, table: TableId) -> bool:
        return table in self.tables.rows

    def replace(
        self, spec: TableSpec, rows: pa.Table, *, partition: str | None, run: RunMark
    ) -> Written:
        known = self._landed.get((spec.table, partition))
        if known and known[0] == run.root_run_id and known[1].equals(rows):
            return Written(known[2], rows.num_rows, repeated=True)
        if self.loses:
            self.loses -= 1
            raise TransientError(f"commit to {spec.table} lost a race", hint="run it again")
        snapshot = self.tables.commits.get(spec.table, 0) + 1
        self.tables.commits[spec.table] = snapshot
        self.tables.rows[spec.table][partition] = rows
        self._landed[spec.table, partition] = (run.root_run_id, rows, snapshot)
        return Written(snapshot, rows.num_rows, repeated=False)

    def append(self, spec: TableSpec, rows: pa.Table, *, batches: tuple[str, ...]) -> int:
        raise NotImplementedError

    def landed_batches(self, table: TableId) -> frozenset[str]:
        raise NotImplementedError

    @contextmanager
    def hold(self, table: TableId) -> Generator[None, None, None]:
        self.holding.add(table)
        try:
            yield
        finally:
            self.holding.remove(table)

    def version(self, table: TableId) -> str:
        return str(self.tables.commits.get(table))

    def head(self, table: TableId) -> int | None:
        return self.tables.commits.get(table)


@dataclass
class MemoryEngine(PipelineEngine):
    """``source`` arrives; ``transform`` makes a day's derived rows from all rows of the inputs."""

    tables: MemoryTables
    specs: Sequence[TableSpec]
    source: Mapping[str | None, pa.Table] = field(default_factory=dict)
    transform: Callable[[pa.Table], pa.Table] = lambda rows: rows
    reads: list[tuple[TableId, tuple[str, ...] | None]] = field(default_factory=list)

    def arriving(self, spec: TableSpec, days: Sequence[date]) -> Mapping[date, pa.Table]:
        return {day: self.source[day.isoformat()] for day in days}

    def arriving_whole(self, spec: TableSpec) -> pa.Table:
        return self.source[None]

    def derived(
        self, spec: TableSpec, *, inputs: Sequence[TableId], days: Sequence[date]
    ) -> Mapping[date, pa.Table]:
        rows = self._inputs(inputs)
        return {day: self.transform(_of_day(rows, spec, [day])) for day in days}

    def derived_whole(self, spec: TableSpec, *, inputs: Sequence[TableId]) -> pa.Table:
        return self.transform(self._inputs(inputs))

    def stored(self, spec: TableSpec, days: Sequence[date] | None) -> pa.Table:
        self.reads.append((spec.table, tuple(map(str, days)) if days is not None else None))
        rows = self.tables.all_of(spec)
        return rows if days is None else _of_day(rows, spec, days)

    def _inputs(self, inputs: Sequence[TableId]) -> pa.Table:
        return pa.concat_tables(
            self.tables.all_of(spec) for spec in self.specs if spec.table in inputs
        )


def _of_day(rows: pa.Table, spec: TableSpec, days: Sequence[date]) -> pa.Table:
    assert spec.day_column is not None
    return rows.filter(pc.is_in(rows[spec.day_column], pa.array(days, pa.date32())))
