"""Rows and files of a table that two processes have worked on, one of them an hour late."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.lakehouse import Lakehouse
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.adapters.table_checks import check_files, path_of
from dp_assets_tests.faults.maintained_look import Looker
from dp_assets_tests.faults.model_process import NAME

Rows = list[dict[str, Any]]


def pointer_of(lake: Lakehouse) -> str:
    return existing_pointer(lake.catalog, NAME)


def rows_of(looker: Looker) -> tuple[Rows, Rows]:
    """At the head and at the tag; both engines read the same, and no named file is missing."""
    table = looker.lake.catalog.load_table(NAME.identifier)
    check_files(table)
    found: list[Rows] = []
    for snapshot in (None, table.refs()["kept"].snapshot_id):
        read = by_id(table.scan(snapshot_id=snapshot).to_arrow().to_pylist())
        source = looker.reader.scan(NAME, snapshot_id=snapshot)
        assert by_id(looker.reader.rows(f"FROM {source}", about=NAME).to_pylist()) == read
        found.append(read)
    return found[0], found[1]


def by_id(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: row["id"])


def hashes(lake: Lakehouse) -> dict[str, str]:
    """Of every file of the warehouse."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files_of(lake)}


def files_of(lake: Lakehouse) -> Iterator[Path]:
    root = path_of(lake.settings.warehouse.root)
    return (path for path in root.rglob("*") if path.is_file())


def needed(lake: Lakehouse) -> set[str]:
    """Files that a table or the trash names, and what is in the trash itself."""
    found = {str(path) for path in files_of(lake) if "/_dp/trash/" in str(path)}
    for table in lake.tables():
        found |= {str(path) for path in check_files(lake.catalog.load_table(table.identifier))}
    return found | {
        str(path_of(file.path)) for record in open_trash(lake).all() for file in record.files
    }
