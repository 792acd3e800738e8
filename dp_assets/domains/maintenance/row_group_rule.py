"""Whether a compaction may take row groups over as they are, without decoding a value.

It costs what copying bytes costs, and keeps encodings and row groups for better or worse: so only
where these are as a rewrite would want them. Small row groups are read slower and compress worse
than those that a rewrite makes of them (measured: docs/maintenance-figures.md).
"""

from collections.abc import Sequence

from dp_assets.core.units import MIB, format_bytes
from dp_assets.ports.compaction import Group
from dp_assets.ports.row_groups import FooterFacts, RowGroupRule, TableWants

LEAST_MEAN_BYTES = 16 * MIB  # of a row group, compressed
LINEAGE_VERSION = 3


def refused_by_plan(group: Group, table: TableWants) -> str:
    """Why a group's row groups are not taken over, without a look at any file; "" when unknown.

    The mean row group is not larger than the mean file.
    """
    if group.deletes:
        return "rows of it are deleted"
    if table.format_version >= LINEAGE_VERSION:
        return "its rows have ids that a new file must spell out"
    if table.is_sorted:
        return "the table has a sort order"
    mean = group.bytes // max(1, len(group.inputs))
    if mean < LEAST_MEAN_BYTES:
        return f"files of {format_bytes(mean)} on average have small row groups"
    return ""


def refused_by_footers(footers: Sequence[FooterFacts], table: TableWants) -> str:
    """Why the row groups of files that passed :func:`refused_by_plan` are not taken over; or ""."""
    for one in footers:
        if not one.is_whole:
            return f"{one.path} is encrypted or not all in one file"
        if not one.is_current:
            return f"{one.path} has other columns than the table now"
        if one.alike != footers[0].alike:
            return f"{one.path} and {footers[0].path} were written in different ways"
        if others := sorted(one.codecs - {table.codec}):
            return f"{one.path} is compressed with {', '.join(others)}, not {table.codec}"
    sizes = [size for one in footers for size in one.row_group_bytes]
    mean = sum(sizes) // max(1, len(sizes))
    if mean < LEAST_MEAN_BYTES:
        return f"row groups of {format_bytes(mean)} on average are small"
    return ""


TAKE_OVER = RowGroupRule(refused_by_plan, refused_by_footers)
