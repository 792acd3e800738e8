"""Real Iceberg tables of a few rows, with everything that a recovery point says of them."""

from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.ports.recovery import History, SnapshotFacts
from dp_assets_tests.cli.things import make_things
from dp_assets_tests.usecases.backup.tiny_points import Content, Files


def two_tables(folder: Path) -> tuple[dict[str, Files], dict[str, Content]]:
    """``shop.things`` and ``shop.others``: their files by path, and what is known of them."""
    uri, warehouse = f"sqlite:///{folder}/catalog.db", f"file://{folder}/lake"
    catalog = SqlCatalog("lake", uri=uri, warehouse=warehouse)
    pointers = {
        f"shop.{name}": make_things(catalog, name=name).metadata_location
        for name in ("things", "others")
    }
    catalog.close()
    tables: dict[str, Files] = {}
    contents: dict[str, Content] = {}
    for name, pointer in pointers.items():
        files = LocalLakeFiles()
        closure = read_closure(files, pointer, history=History.ALL)
        tables[name] = {file.path: files.read(file.path) for file in closure.files}
        contents[name] = Content(
            pointer=pointer,
            kinds={file.path: file.kind for file in closure.files},
            snapshots=tuple(
                SnapshotFacts(s.snapshot_id, s.parent_id, 0, s.timestamp_ms, None, 0, 0, "", "")
                for s in closure.snapshots
            ),
            head=closure.head,
        )
    return tables, contents
