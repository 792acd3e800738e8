"""The files of one commit: new data files, manifests, manifest list; in this order.

Every file is durable before the pointer moves (:mod:`dp_assets.adapters.durable_io`). A commit
that loses its race leaves files that no snapshot names; the orphan sweep removes them.
"""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyiceberg.expressions import BooleanExpression
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.io.pyarrow import (
    _dataframe_to_data_files as to_data_files,  # the only writer there that splits partitions
)
from pyiceberg.manifest import (
    DataFile,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    write_manifest,
)
from pyiceberg.table import StaticTable
from pyiceberg.table.snapshots import (
    Operation,
    SnapshotSummaryCollector,
    Summary,
    update_snapshot_summaries,
)

from dp_assets.adapters.iceberg_avro import CODEC
from dp_assets.adapters.iceberg_json import head_id, next_sequence
from dp_assets.adapters.iceberg_snapshot import Staged, list_line, metadata_file, stage_snapshot
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.core.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to the table, decided against one state.

    Attributes:
        rows: written to new data files.
        kept: rows of files that leave, written again as they are, in the table's own columns.
        touched: manifests that are merged into one, each with the paths of its files that leave.
        properties: go into the snapshot's summary.
    """

    rows: pa.Table
    properties: Mapping[str, str]
    touched: Mapping[ManifestFile, frozenset[str]] = field(
        default_factory=dict[ManifestFile, frozenset[str]]
    )
    kept: pa.Table | None = None


def stage(state: TableState, change: Change, *, now_ms: int) -> Staged:
    """Write every file of the commit. Nothing is visible yet."""
    snapshot_id = secrets.randbits(63)
    files = write_rows(state, change.rows)
    if change.kept is not None:
        files += write_rows(state, change.kept)
    merged = _merged_entries(state, change.touched, snapshot_id)
    merged[state.model.default_spec_id] += [_added(file, snapshot_id) for file in files]
    written = [
        _manifest(state, spec_id=spec_id, entries=entries, snapshot_id=snapshot_id)
        for spec_id, entries in merged.items()
        if entries
    ]
    removed = [
        e.data_file
        for entries in merged.values()
        for e in entries
        if e.status == ManifestEntryStatus.DELETED
    ]
    sequence_number = next_sequence(state.raw)
    return stage_snapshot(
        state,
        (list_line(manifest, sequence_number=sequence_number) for manifest in written),
        leave={manifest.manifest_path for manifest in change.touched},
        snapshot_id=snapshot_id,
        summary=_summary(state, added=files, removed=removed, properties=change.properties),
        now_ms=now_ms,
    )


def write_rows(state: TableState, rows: pa.Table) -> list[DataFile]:
    """New data files for ``rows``, split by the table's current partition spec."""
    if rows.num_rows == 0:
        return []
    return list(to_data_files(state.model, rows, state.io, uuid.uuid4()))


def surviving_rows(state: TableState, paths: frozenset[str], keep: BooleanExpression) -> pa.Table:
    """The live rows of the files at ``paths`` that match ``keep``, deletes applied.

    In the columns that the table has now, declared or not: they are not ours to drop.

    Raises:
        PermanentError: PyIceberg cannot read them, e.g. under equality deletes.
    """
    table = StaticTable.from_metadata(state.pointer, state.io.properties)
    scan = table.scan(row_filter=keep)
    try:
        tasks = [t for t in scan.plan_files() if t.file.file_path in paths]
    except ValueError as error:
        raise PermanentError(
            f"{state.model.location} holds files shared by several days: {error}",
            hint="compact the table with the engine that wrote it, then run this again",
        ) from error
    return ArrowScan(
        table.metadata, state.io, scan.projection(), scan.row_filter, scan.case_sensitive
    ).to_table(tasks)


def _added(file: DataFile, snapshot_id: int) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=file
    )


def _merged_entries(
    state: TableState, touched: Mapping[ManifestFile, frozenset[str]], snapshot_id: int
) -> dict[int, list[ManifestEntry]]:
    """Spec id -> what the touched manifests of that spec hold after this commit."""
    merged: dict[int, list[ManifestEntry]] = defaultdict(list)
    for manifest, gone in touched.items():
        merged[manifest.partition_spec_id] += [
            _carried(entry, gone=gone, snapshot_id=snapshot_id) for entry in state.entries(manifest)
        ]
    return merged


def _carried(entry: ManifestEntry, *, gone: frozenset[str], snapshot_id: int) -> ManifestEntry:
    """EXISTING or DELETED, with both sequence numbers explicit (specification, "Manifests")."""
    deleted = entry.data_file.file_path in gone
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.DELETED if deleted else ManifestEntryStatus.EXISTING,
        snapshot_id=snapshot_id if deleted else entry.snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=entry.data_file,
    )


def _manifest(
    state: TableState, *, spec_id: int, entries: Iterable[ManifestEntry], snapshot_id: int
) -> ManifestFile:
    location = metadata_file(state, f"{uuid.uuid4()}-m0.avro")
    with write_manifest(
        format_version=state.model.format_version,
        spec=state.model.specs()[spec_id],
        schema=state.model.schema(),
        output_file=state.io.new_output(location),
        snapshot_id=snapshot_id,
        avro_compression=CODEC,
    ) as writer:
        for entry in entries:
            writer.add_entry(entry)
    return writer.to_manifest_file()


def _summary(
    state: TableState,
    *,
    added: Sequence[DataFile],
    removed: Sequence[DataFile],
    properties: Mapping[str, str],
) -> dict[str, str]:
    collector, schema, specs = SnapshotSummaryCollector(), state.model.schema(), state.model.specs()
    for file in added:
        collector.add_file(file, schema, state.model.spec())  # new files have no spec id yet
    for file in removed:
        collector.remove_file(file, schema, specs[file.spec_id])
    operation = Operation.OVERWRITE if removed else Operation.APPEND
    head = head_id(state.raw)
    previous = next(
        (s.get("summary") for s in state.raw.get("snapshots") or () if s["snapshot-id"] == head),
        None,
    )
    summary = update_snapshot_summaries(
        Summary(operation=operation, **collector.build(), **properties), previous
    )
    return {"operation": operation.value, **summary.additional_properties}
