"""Writing tables exactly once, one writer at a time: PyIceberg's formats, our own commit."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import date

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.io import FileIO, load_file_io
from pyiceberg.io.pyarrow import schema_to_pyarrow

from dp_assets.adapters.catalog_errors import database_errors
from dp_assets.adapters.fingerprint import fingerprint
from dp_assets.adapters.iceberg_commit import Change, stage
from dp_assets.adapters.iceberg_json import ancestors, head_id
from dp_assets.adapters.iceberg_properties import set_properties
from dp_assets.adapters.iceberg_publish import publish
from dp_assets.adapters.iceberg_replacement import (
    BATCHES,
    FINGERPRINT,
    OPERATION,
    PARTITION,
    ROOT_RUN,
    RUN,
    WHOLE_TABLE,
    DayFilter,
    landed,
    plan_replacement,
)
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.adapters.pyiceberg_create import ensure_table, refuse_foreign
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_pointer import existing_pointer, read_pointer
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.ports.leases import Lease, Leases, held_lease
from dp_assets.ports.tables import RunMark, TableSpec, TableWriter, Written

ATTEMPTS = 4
UNTOUCHED = "run it again; the table is as it was"


def no_failpoint(_name: str) -> None:
    """Where a test may stop the process; the names are the durable steps of a commit."""


class PyIcebergWriter(TableWriter):
    """The one writer of a lakehouse's own tables; not thread-safe, one instance per step."""

    def __init__(
        self,
        catalog: Catalog,
        leases: Leases,
        *,
        owner: str,
        ttl_ms: int,
        wait_ms: int,
        now_ms: Callable[[], int],
        failpoint: Callable[[str], None] = no_failpoint,
    ) -> None:
        self._catalog = catalog
        self._leases = leases
        self._owner = owner
        self._ttl_ms = ttl_ms
        self._wait_ms = wait_ms
        self._now_ms = now_ms
        self._failpoint = failpoint
        self._io: FileIO = load_file_io(catalog.properties, catalog.properties.get("warehouse"))
        self._states: dict[TableId, TableState] = {}
        self._held: dict[TableId, Lease] = {}

    def ensure(self, spec: TableSpec) -> None:
        doing = f"create {spec.table}"
        with verdicts(doing, hint="run it again"), database_errors(self._catalog, doing):
            ensure_table(self._catalog, spec)

    def exists(self, table: TableId) -> bool:
        return read_pointer(self._catalog, table) is not None

    @contextmanager
    def hold(self, table: TableId) -> Generator[None, None, None]:
        if table in self._held:
            yield
            return
        with held_lease(
            self._leases,
            f"table/{table}",
            owner=self._owner,
            ttl_ms=self._ttl_ms,
            wait_ms=self._wait_ms,
        ) as lease:
            self._held[table] = lease
            try:
                yield
            finally:
                del self._held[table]

    def replace(
        self, spec: TableSpec, rows: pa.Table, *, partition: str | None, run: RunMark
    ) -> Written:
        fitted = _fit(rows, spec)
        only = (
            DayFilter(spec.day_column, date.fromisoformat(partition))
            if partition is not None and spec.day_column is not None
            else None
        )
        mark = {
            OPERATION: "write",
            ROOT_RUN: run.root_run_id,
            RUN: run.run_id,
            PARTITION: partition or WHOLE_TABLE,
            FINGERPRINT: fingerprint(fitted),
        }
        with self.hold(spec.table):
            before = landed(self._state(spec.table), mark)
            if before is not None:
                return Written(snapshot_id=before, rows=fitted.num_rows, repeated=True)
            committed = self._commit(
                spec.table, lambda now: plan_replacement(now, fitted, only=only, mark=mark)
            )
        return Written(snapshot_id=committed, rows=fitted.num_rows, repeated=False)

    def append(self, spec: TableSpec, rows: pa.Table, *, batches: tuple[str, ...]) -> int:
        fitted = _fit(rows, spec)
        mark = {OPERATION: "append", BATCHES: ",".join(batches)}
        with self.hold(spec.table):
            return self._commit(spec.table, lambda _: Change(fitted, mark))

    def set_properties(self, table: TableId, properties: Mapping[str, str]) -> None:
        """Add table properties in one commit, also to a foreign table: so it is adopted."""
        with self.hold(table), verdicts(f"set properties of {table}", hint=UNTOUCHED):
            self._states[table] = set_properties(
                self._catalog,
                table,
                self._state(table),
                properties,
                now_ms=self._now_ms(),
                before_swap=lambda: self._guard(table),
            )

    def landed_batches(self, table: TableId) -> frozenset[str]:
        return _batches(self._state(table))

    def landed_at_head(self, table: TableId) -> tuple[int | None, frozenset[str]]:
        """The current snapshot and the batches that it and its ancestors say they appended."""
        state = self._state(table)
        return head_id(state.raw), _batches(state)

    def version(self, table: TableId) -> str:
        return existing_pointer(self._catalog, table)

    def head(self, table: TableId) -> int | None:
        return head_id(self._state(table).raw)

    def last_commit_ms(self, table: TableId) -> int | None:
        """When the current snapshot was committed; None for a table without commits."""
        newest = next(ancestors(self._state(table).raw), None)
        return int(newest["timestamp-ms"]) if newest else None

    def _commit(self, table: TableId, decide: Callable[[TableState], Change]) -> int:
        """Stage and publish, deciding anew after each lost race, at most four times."""
        for attempt in range(1, ATTEMPTS + 1):
            state = self._state(table)
            _refuse_unwritable(table, state)
            with verdicts(f"write {table}", hint=UNTOUCHED):
                staged = stage(state, decide(state), now_ms=self._now_ms())
            self._failpoint("files-written")
            try:
                with verdicts(f"commit to {table}", hint=UNTOUCHED):
                    self._states[table] = publish(
                        self._catalog, table, staged, before_swap=lambda: self._guard(table)
                    )
            except TransientError:
                # Neither a lost lease nor a locked database is a lost race.
                self._leases.check(self._held[table])
                if attempt == ATTEMPTS or existing_pointer(self._catalog, table) == state.pointer:
                    raise
                continue
            self._failpoint("committed")
            return staged.snapshot.snapshot_id
        raise AssertionError

    def _guard(self, table: TableId) -> None:
        """The fencing number, checked again right before the pointer moves."""
        self._failpoint("metadata-written")
        lease = self._held[table]
        self._leases.check(lease)
        if lease.expires_at_ms - self._now_ms() < self._ttl_ms // 2:
            self._held[table] = self._leases.renew(lease)

    def _state(self, table: TableId) -> TableState:
        pointer = existing_pointer(self._catalog, table)
        known = self._states.get(table)
        if known is None or known.pointer != pointer:
            with verdicts(f"read {table}", hint="run it again"):
                known = self._states[table] = load_state(self._io, pointer)
        return known


def _batches(state: TableState) -> frozenset[str]:
    found = (s.get("summary", {}).get(BATCHES, "") for s in ancestors(state.raw))
    return frozenset(name for names in found for name in names.split(",") if name)


def _fit(rows: pa.Table, spec: TableSpec) -> pa.Table:
    wanted = schema_to_pyarrow(spec.schema, include_field_ids=False)
    try:
        return rows.select(wanted.names).cast(wanted).combine_chunks()
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PermanentError(
            f"rows for {spec.table} do not fit its columns: {error}",
            hint="compare the transform with the table's declaration; 'dp table' shows the columns",
        ) from error


def _refuse_unwritable(table: TableId, state: TableState) -> None:
    refuse_foreign(table, state.raw.get("properties") or {})
    version = state.raw["format-version"]
    if version > 2:
        raise PermanentError(
            f"{table} has format version {version}; rows are written to versions 1 and 2",
            hint="write it with the engine that made it; reading and querying work",
        )
