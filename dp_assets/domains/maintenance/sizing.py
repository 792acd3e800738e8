"""How big a data file should be, and when one is small."""

from dp_assets.core.units import GIB, MIB

# Fewer, larger files are faster to plan; smaller ones are cheaper to rewrite when a row changes,
# and a partition of few files cannot be read in parallel. So the target doubles with the
# partition, from a usual Parquet row group (Iceberg's write.parquet.row-group-size-bytes, 128 MiB)
# to Iceberg's own target (write.target-file-size-bytes, 512 MiB). A partition that stays below
# the last limit has at most 128 files.
STEPS = ((16 * GIB, 128 * MIB), (32 * GIB, 256 * MIB))
LARGEST_BYTES = 512 * MIB
SMALL_SHARE = 0.75  # of the target; Iceberg's min-file-size-ratio of rewrite_data_files


def target_bytes(partition_bytes: int) -> int:
    """What a data file of a partition of that size should have, 128 to 512 MiB."""
    return next((target for limit, target in STEPS if partition_bytes <= limit), LARGEST_BYTES)


def is_small(size_bytes: int, target: int) -> bool:
    """Whether a data file is below three quarters of its target."""
    return size_bytes < SMALL_SHARE * target


def squared_error(size_bytes: int, target: int) -> float:
    """How far a data file is below its target, 0 (reached) to 1 (empty), squared.

    The mean over a table is the measure that Apache Amoro evaluates its tables by; relative to
    the target, so that partitions with different ones can be compared.
    """
    return max(0.0, 1 - size_bytes / target) ** 2 if target else 0.0
