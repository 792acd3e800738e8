"""A healthy table, to be spoiled."""

from dataclasses import replace

from dp_assets.core.units import MIB
from dp_assets.ports.maintenance import PartitionHealth, TableHealth

NOW_MS = 1_900_000_000_000

HEALTHY = TableHealth(
    table="raw.t",
    uuid="u",
    pointer="p",
    at_ms=NOW_MS,
    format_version=2,
    head=1,
    files=4,
    bytes=512 * MIB,
    rows=1000,
    small_files=0,
    error=0.0,
    size_counts=(),
    delete_files=0,
    deleted_rows=0,
    manifests=1,
    manifest_bytes=8000,
    snapshots=1,
    oldest_snapshot_ms=NOW_MS,
    metadata_bytes=5000,
    old_bytes=0,
    unheld_bytes=None,
    skew=1.0,
    partitions=(),
    partition_count=1,
)


def table_with(**figures: object) -> TableHealth:
    return replace(HEALTHY, **figures)


def partition(target_mib: int, files: int = 1) -> PartitionHealth:
    return PartitionHealth(
        spec_id=0,
        partition="",
        files=files,
        bytes=1,
        rows=1,
        small_files=1,
        target_bytes=target_mib * MIB,
        error=0.0,
    )
