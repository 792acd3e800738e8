"""Files that nothing names, planted in the folders of a table, and sweeps that look for them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dp_assets.adapters.pyiceberg_register import register_table
from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS, now_ms
from dp_assets.domains.backup.moved_metadata import encode_metadata
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance_trash import TrashRecord
from dp_assets.usecases.maintenance.finding_orphans import Orphans, find_orphans
from dp_assets.usecases.maintenance.recording_orphans import record_orphans
from dp_assets_tests.usecases.maintenance.expiries import TABLE, metadata_of

AGE_MS = 72 * HOUR_MS
OLD_HOURS = 73


def folder_of(lake: Lakehouse, name: TableId = TABLE) -> Path:
    return Path(one_spelling(metadata_of(lake, name)["location"]))


def plant(
    lake: Lakehouse,
    below: str = "data/orphan.parquet",
    *,
    hours: float = OLD_HOURS,
    content: bytes = b"PAR1 orphan PAR1",
    name: TableId = TABLE,
) -> Path:
    """A file in the table's folder, written so many hours ago."""
    path = folder_of(lake, name) / below
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return made_old(path, hours=hours)


def made_old(path: Path, *, hours: float = OLD_HOURS) -> Path:
    """The file, last written so many hours ago."""
    at_s = now_ms() / 1000 - hours * 3600
    os.utime(path, (at_s, at_s))
    return path


def all_made_old(lake: Lakehouse, name: TableId = TABLE) -> None:
    """As if the table had last been written to long ago."""
    for path in folder_of(lake, name).rglob("*"):
        if path.is_file():
            made_old(path)


def search(
    lake: Lakehouse, *, age_ms: int = AGE_MS, name: TableId = TABLE, at_ms: int | None = None
) -> Orphans:
    now = now_ms() if at_ms is None else at_ms
    return find_orphans(lake, name, age_ms=age_ms, now_ms=now)


def found(lake: Lakehouse, **given: Any) -> set[Path]:
    """The orphans."""
    return {Path(one_spelling(file.path)) for file in search(lake, **given).files}


def run_sweep(
    lake: Lakehouse, *, between: Callable[[], object] = lambda: None, name: TableId = TABLE
) -> TrashRecord | None:
    """Look, let something happen, record what is left."""
    orphans = search(lake, name=name)
    between()
    return record_orphans(lake, orphans, now_ms=now_ms())


def register(lake: Lakehouse, metadata: dict[str, Any], folder: Path, *, name: TableId) -> str:
    """A table whose metadata file has that content."""
    pointer = folder / "metadata" / "00000-0a.metadata.json"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_bytes(encode_metadata(metadata))
    lake.catalog.create_namespace_if_not_exists(name.namespace)
    register_table(lake.catalog, name, str(pointer))
    return str(pointer)
