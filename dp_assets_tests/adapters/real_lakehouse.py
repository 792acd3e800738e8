"""A real lakehouse in a folder: SQLite catalog, local warehouse, identity, tables with commits."""

from pathlib import Path

import pyarrow as pa
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.tables import TableSpec
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.initialising import initialise

ORDERS = TableId("raw", "orders")
SCHEMA = Schema(NestedField(1, "id", LongType(), required=False))


def settings_in(folder: Path, text: str = "") -> Settings:
    """Settings whose state is in ``folder``; a lock is waited for 0.1 s."""
    file = folder / "lakehouse.yaml"
    given = (
        "" if "catalog:" in text else "catalog:\n  uri: sqlite:///{state}/catalog.db?timeout=0.1\n"
    )
    file.write_text(given + text)
    return load_settings(file, env={})


def make_lakehouse(
    folder: Path, *, commits: int = 3, tables: tuple[TableId, ...] = (ORDERS,)
) -> Settings:
    """``commits`` appends of 10 rows each to every table; the n-th commit makes 10 n rows."""
    settings = settings_in(folder)
    initialise(settings, origin="test")
    with opened(settings) as lake:
        for table in tables:
            fill(lake, table, commits=commits)
    return settings


def fill(lake: Lakehouse, table: TableId, *, commits: int) -> None:
    spec = TableSpec(table, SCHEMA, comment="", key_columns=("id",), writer="raw/orders")
    lake.writer.ensure(spec)
    for commit in range(commits):
        rows = pa.table({"id": pa.array(range(commit * 10, commit * 10 + 10), pa.int64())})
        lake.writer.append(spec, rows, batches=(f"b{commit}",))


def pointer_of(settings: Settings, table: TableId = ORDERS) -> str:
    with opened(settings) as lake:
        return existing_pointer(lake.catalog, table)


def rows_of(settings: Settings, table: TableId = ORDERS) -> int:
    with opened(settings) as lake:
        return lake.catalog.load_table(table.identifier).scan().to_arrow().num_rows


def local(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def metadata_files(settings: Settings, table: TableId = ORDERS) -> list[Path]:
    """Oldest first."""
    return sorted(local(pointer_of(settings, table)).parent.glob("*.metadata.json"))


def content(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, to see that none was changed or removed."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}
