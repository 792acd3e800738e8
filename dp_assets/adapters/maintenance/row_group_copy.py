"""Compaction by taking row groups over, where the rule allows it; nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.row_group_footer import facts_of, read_footer
from dp_assets.adapters.maintenance.row_group_joining import join_row_groups
from dp_assets.ports.row_groups import TableWants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyiceberg.schema import Schema

    from dp_assets.adapters.maintenance.new_files import NewFiles
    from dp_assets.ports.compaction import Group
    from dp_assets.ports.row_groups import RowGroupRule

COMPRESSION, DEFAULT_CODEC = "write.parquet.compression-codec", "zstd"


@dataclass(frozen=True, slots=True)
class RowGroupCopier:
    """Compacts groups of a table whose row groups may be taken over."""

    schema: Schema
    wants: TableWants
    rule: RowGroupRule

    def copied(self, group: Group, new: NewFiles) -> list[Path] | None:
        """The files written for ``group``; None when it must be rewritten row by row.

        Raises:
            PermanentError: a file is damaged.
            OSError: a file is gone, or the disk is full.
        """
        paths = [local_path(file.path) for file in group.inputs]
        local = [path for path in paths if path is not None]
        if len(local) < len(paths) or self.rule.by_plan(group, self.wants):
            return None
        footers = [read_footer(path) for path in local]
        if self.rule.by_footers([facts_of(one, self.schema) for one in footers], self.wants):
            return None
        return join_row_groups(footers, new, bytes_per_file=-(-group.bytes // group.outputs))


def row_group_copier(
    schema: Schema, metadata: Mapping[str, Any], *, rule: RowGroupRule | None, is_sorted: bool
) -> RowGroupCopier | None:
    """For a table with that metadata, Iceberg's JSON; None where nothing is ever taken over."""
    if rule is None:
        return None
    properties: Mapping[str, str] = metadata.get("properties") or {}
    codec = properties.get(COMPRESSION, DEFAULT_CODEC).upper()
    return RowGroupCopier(schema, TableWants(metadata["format-version"], is_sorted, codec), rule)
