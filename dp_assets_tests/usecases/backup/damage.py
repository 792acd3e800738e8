"""A small lakehouse with recovery points, damaged in every way that files are damaged."""

import hashlib
from pathlib import Path

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.fsck import Finding, Fsck
from dp_assets.domains.lake.repairing import TableRepair
from dp_assets.lakehouse import opened
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.recovery import FileKind, History
from dp_assets.settings import Settings
from dp_assets.usecases.backup.checking import fsck
from dp_assets.usecases.backup.repair_planning import plan_table_repair
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets.usecases.backup.table_repairing import put_files_back
from dp_assets_tests.adapters.real_lakehouse import ORDERS, local, pointer_of


def closure_of(settings: Settings, table: TableId = ORDERS) -> TableClosure:
    return read_closure(LocalLakeFiles(), pointer_of(settings, table), history=History.ALL)


def files_of(settings: Settings, kind: FileKind, table: TableId = ORDERS) -> list[Path]:
    """The table's files of one kind; lists in the order of the snapshots."""
    closure = closure_of(settings, table)
    if kind is FileKind.MANIFEST_LIST:
        return [local(s.manifest_list) for s in closure.snapshots]
    return [local(f.path) for f in closure.files if f.kind is kind]


def first_data_file(settings: Settings, table: TableId = ORDERS) -> Path:
    """The one that the first snapshot added, and all have."""
    closure = closure_of(settings, table)
    (use,) = closure.snapshots[0].manifests
    (entry,) = closure.entries(use)
    return local(entry.path)


def check(settings: Settings, *names: str, deep: bool = False, compare: bool = True) -> Fsck:
    with opened(settings) as lake:
        repository = open_for_reading(settings) if compare else None
        return fsck(lake, names, deep=deep, repository=repository)


def told(found: Fsck | TableRepair) -> dict[Path, str]:
    """What is said to be wrong with which file."""
    return {local(finding.path): finding.problem.value for finding in found.findings}


def only(found: Fsck) -> Finding:
    (finding,) = found.findings
    return finding


def plan(
    settings: Settings, table: TableId = ORDERS, *, with_repository: bool = True
) -> TableRepair:
    with opened(settings) as lake:
        repository = open_for_reading(settings) if with_repository else None
        return plan_table_repair(lake, repository, str(table))


def repair(settings: Settings, table: TableId = ORDERS) -> TableRepair:
    """Plan it and put back what can be put back."""
    planned = plan(settings, table)
    with opened(settings) as lake:
        put_files_back(lake, open_for_reading(settings), planned)
    return planned


def hashes(folder: Path) -> dict[Path, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def warehouse(settings: Settings) -> Path:
    return local(settings.warehouse.root)


def flip(path: Path, at: int) -> None:
    """Invert one byte; the size stays."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def ids(settings: Settings, table: TableId = ORDERS, *, snapshot: int | None = None) -> list[int]:
    """What both engines read, after they agreed."""
    with opened(settings) as lake:
        found = lake.catalog.load_table(table.identifier)
        rows = found.scan(snapshot_id=snapshot).to_arrow()
        by_pyiceberg = rows.sort_by("id")["id"].to_pylist()
        with lake.reader() as reader:
            source = reader.scan(table, snapshot_id=snapshot)
            by_duckdb = reader.rows(f"SELECT id FROM {source} ORDER BY id", about=table)
    assert by_duckdb["id"].to_pylist() == by_pyiceberg
    return [number for number in by_pyiceberg if number is not None]
