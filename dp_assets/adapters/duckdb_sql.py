"""A person's SQL, looked at before anything runs: one statement that reads, and its tables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from dp_assets.adapters.duckdb_errors import sql_errors
from dp_assets.core.errors import ConfigurationError

BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)"
EXPLAIN = re.compile(
    rf"{BLANK}*EXPLAIN{BLANK}+(ANALYZE{BLANK}+)?(\([^)]*\){BLANK}*)?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table as the SQL names it; what it leaves out is empty."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.name) if part)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """One statement that only reads, and the tables in it that are not its own (WITH)."""

    sql: str
    tables: tuple[NamedTable, ...]


def parse_query(sql: str) -> ReadQuery:
    """Look at ``sql``; nothing is run or opened.

    Raises:
        ConfigurationError: a syntax error, several statements, or one that does not read.
    """
    kinds = _kinds(sql)
    explain = EXPLAIN.match(sql) if kinds == ["EXPLAIN"] else None
    inner = sql[explain.end() :] if explain else sql
    if explain:  # with ANALYZE it runs what it explains
        kinds = _kinds(inner)
    if kinds != ["SELECT"]:
        raise ConfigurationError(
            f"dp query runs one statement that reads; this is {' and '.join(kinds) or 'nothing'}",
            hint="SELECT, WITH, DESCRIBE, SUMMARIZE, SHOW and EXPLAIN of these read; "
            "a PIVOT lists its values with IN (...)",
        )
    return ReadQuery(sql, tuple(dict.fromkeys(_tables(inner))))


def _kinds(sql: str) -> list[str]:
    with sql_errors():
        return [statement.type.name for statement in duckdb.extract_statements(sql)]


def _tables(sql: str) -> Iterator[NamedTable]:
    with duckdb.connect() as connection:
        [(text,)] = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    nodes = list(_nodes(json.loads(text)))
    own = {
        entry["key"].lower() for node in nodes for entry in node.get("cte_map", {}).get("map", ())
    }
    for node in nodes:
        if node.get("type") == "BASE_TABLE":
            named = NamedTable(node["catalog_name"], node["schema_name"], node["table_name"])
            if named.schema or named.name.lower() not in own:
                yield named


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node
