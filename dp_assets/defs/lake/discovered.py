"""One external asset per table the inventory found, so that a search in the UI finds them all.

Built when the code location loads, from the settings and the inventory's saved state alone.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import dagster as dg

from dp_assets import keys
from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.ports.inventory import Column, TableFacts
from dp_assets.settings import load_settings

# Not the group of lake/inventory: with thousands of tables nobody would find it in the graph.
GROUP = "tables"
APPEARS = "Found by `lake/inventory`. New tables appear here when the code location is reloaded."
# What Dagster accepts as an owner; another value in a table's property must not stop the location.
OWNER = re.compile(r"team:.+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")

logger = logging.getLogger(__name__)


@dg.definitions
def discovered() -> dg.Definitions:
    """The discovered tables."""
    return dg.Definitions(assets=tables_found())


def tables_found() -> list[dg.AssetSpec]:
    """The tables of the last sweep; none, and one warning, when its state cannot be read."""
    saved = read_inventory(load_settings().inventory_file)
    if saved.problem:
        logger.warning("%s; no discovered tables are shown", saved.problem)
    return list(external_assets(saved.inventory.tables.values()))


def external_assets(tables: Iterable[TableFacts]) -> Iterator[dg.AssetSpec]:
    """An AssetSpec per table; tables with equal columns share one schema object."""
    schema = cache(_column_schema)
    for facts in tables:
        yield _external_asset(facts, schema)


def _external_asset(
    facts: TableFacts, schema: Callable[[tuple[Column, ...]], dg.TableSchema]
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=keys.discovered(facts.namespace, facts.table.name),
        deps=_writers(facts),
        description=_description(facts),
        group_name=GROUP,
        kinds={"iceberg"},
        owners=[facts.owner] if OWNER.fullmatch(facts.owner) else None,
        metadata={
            "dagster/table_name": facts.name,
            "dagster/uri": facts.location,
            "dagster/column_schema": schema(facts.columns),
            "format_version": facts.format_version,
            "partition_spec": facts.partition_spec or "unpartitioned",
            "owner": facts.owner,
            "adopted": facts.adopted,
            **({"problem": facts.problem} if facts.problem else {}),
        },
    )


def _writers(facts: TableFacts) -> list[dg.AssetKey]:
    """The asset that writes the table. A discovered one writes nothing, and would be a cycle."""
    path = [part for part in facts.writer.split("/") if part]
    return [dg.AssetKey(path)] if path and path[0] != keys.INVENTORY.path[0] else []


def _description(facts: TableFacts) -> str:
    problem = f"**Its metadata cannot be read:** {facts.problem}" if facts.problem else ""
    kind = "" if facts.adopted or facts.problem else "Foreign: read, never changed until adopted."
    return "\n\n".join(filter(None, (facts.comment, problem, kind, APPEARS)))


def _column_schema(columns: tuple[Column, ...]) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.doc or None,
                constraints=_constraints(required=column.required),
            )
            for column in columns
        ]
    )


@cache
def _constraints(*, required: bool) -> dg.TableColumnConstraints:
    return dg.TableColumnConstraints(nullable=not required)
