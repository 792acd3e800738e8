"""What a table's state costs for nothing, in one unit: bytes.

To open a file costs as much as to read 4 MiB: the weight that Iceberg's own scan planning gives
to it (property ``read.split.open-file-cost``, default 4 MiB). With it, too many files, deleted
rows and bytes that are kept and not needed become one number, and tables can be put in an order:

    opens * 4 MiB + bytes * delete ratio + old bytes + unheld bytes + metadata bytes * 100

where opens are the data files that a compaction would do away with at the least (small ones
beyond one per partition), delete files, manifests beyond those needed, and the manifest lists of
snapshots beyond the five that stay at any age. A metadata file counts as often as Iceberg keeps
its predecessors (``write.metadata.previous-versions-max``, default 100).

It is for ordering and no promise of what an operation saves.
"""

from dp_assets.core.units import MIB
from dp_assets.ports.maintenance import PartitionHealth, TableHealth

OPEN_BYTES = 4 * MIB
METADATA_FILES = 100
KEPT_SNAPSHOTS = 5
# With statistics of some 20 columns an entry has about 2 KiB, and a manifest of Iceberg's target
# (commit.manifest.target-size-bytes) 8 MiB.
ENTRIES_PER_MANIFEST = 4096


def burden_bytes(health: TableHealth) -> int:
    """The one number for ordering: the higher, the more a table needs maintenance."""
    return (
        small_burden_bytes(health)
        + delete_burden_bytes(health)
        + manifest_burden_bytes(health)
        + snapshot_burden_bytes(health)
        + metadata_burden_bytes(health)
        + health.old_bytes
        + (health.unheld_bytes or 0)
    )


def spare_files(health: TableHealth) -> int:
    """Data files that need not be: every partition may end with one that is small."""
    return max(0, health.small_files - health.partition_count)


def spare_manifests(health: TableHealth) -> int:
    """Manifests that need not be; data and deletes have their own."""
    needed = sum(-(-count // ENTRIES_PER_MANIFEST) for count in (health.files, health.delete_files))
    return max(0, health.manifests - needed)


def small_burden_bytes(health: TableHealth) -> int:
    """Of small data files."""
    return OPEN_BYTES * spare_files(health)


def delete_burden_bytes(health: TableHealth) -> int:
    """Of delete files, and of the rows that are read to be dropped."""
    return OPEN_BYTES * health.delete_files + round(health.bytes * health.delete_ratio)


def manifest_burden_bytes(health: TableHealth) -> int:
    """Of manifests."""
    return OPEN_BYTES * spare_manifests(health)


def snapshot_burden_bytes(health: TableHealth) -> int:
    """Of the manifest lists of old snapshots; what only they hold is counted by itself."""
    return OPEN_BYTES * max(0, health.snapshots - KEPT_SNAPSHOTS)


def metadata_burden_bytes(health: TableHealth) -> int:
    """Of the metadata file and its kept predecessors."""
    return METADATA_FILES * health.metadata_bytes


def partition_burden_bytes(partition: PartitionHealth) -> int:
    """The same for the files of one partition."""
    deleted = min(1.0, partition.deleted_rows / partition.rows) if partition.rows else 0.0
    opens = max(0, partition.small_files - 1) + partition.delete_files
    return OPEN_BYTES * opens + round(partition.bytes * deleted)
