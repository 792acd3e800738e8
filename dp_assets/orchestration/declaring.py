"""From a table's declaration to what Dagster shows of its asset."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import dagster as dg

from dp_assets.domains.pipeline.lineage import copied

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.ports.tables import TableSpec


class About(TypedDict):
    """Keyword arguments for ``@dg.asset``, typed so that the decorator's types hold."""

    key: dg.AssetKey
    group_name: str
    description: str
    kinds: set[str]
    owners: list[str]
    metadata: dict[str, str | dg.TableSchema]


def about(spec: TableSpec) -> About:
    """Key, group, description and columns of the asset that writes the table.

    ``dagster/table_name`` also links it to the table as the inventory discovered it.
    """
    return {
        "key": dg.AssetKey(spec.writer.split("/")),
        "group_name": spec.table.namespace,
        "description": spec.comment,
        "kinds": {"iceberg", "duckdb"},
        "owners": [spec.owner],
        "metadata": {
            "dagster/table_name": str(spec.table),
            "dagster/column_schema": column_schema(spec),
            "key_columns": ", ".join(spec.key_columns),
            "partition_spec": f"month({spec.day_column})" if spec.day_column else "unpartitioned",
        },
    }


def column_schema(spec: TableSpec) -> dg.TableSchema:
    """Names, types and documentation as declared, and what a column is a copy of.

    As a tag as well as in :func:`column_lineage`, which Dagster's own pages do not draw.
    """
    copies = copied(spec.table)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                f.name,
                type=str(f.field_type),
                description=f.doc,
                tags={"copy_of": str(copies[f.name])} if f.name in copies else {},
            )
            for f in spec.schema.fields
        ]
    )


def column_lineage(table: TableId) -> dict[str, dg.MetadataValue]:
    """Metadata with the columns that are copies; Dagster reads it from materializations only."""
    copies = copied(table)
    if not copies:
        return {}
    deps = {
        ours: [dg.TableColumnDep(dg.AssetKey([of.table.namespace, of.table.name]), of.column)]
        for ours, of in copies.items()
    }
    lineage = dg.MetadataValue.column_lineage(dg.TableColumnLineage(deps))
    return {"dagster/column_lineage": lineage}
