"""A lakehouse with one table that was overwritten again and again, and what is left of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyiceberg.table import Table

from dp_assets.adapters.iceberg_json import Json
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_metadata import parse_metadata
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.maintenance_trash import TrashRecord
from dp_assets.ports.recovery import History
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.expiring import expire
from dp_assets.usecases.maintenance.expiry_attempts import ExpiryDone
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry
from dp_assets.usecases.maintenance.record_emptying import Emptied
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.cli.things import things
from dp_assets_tests.usecases.backup.readings import Readings, by_duckdb, by_pyiceberg

TABLE = TableId("shop", "things")
COMMITS = 6
FREED = 20  # files that only the others need: data, manifests, lists
TWO = Retention(max_age_ms=0, min_snapshots=2)  # everything is too old, two stay


def lakehouse(folder: Path) -> Settings:
    """In ``folder``: ``shop.things``, six states of five rows, the first tagged ``first``."""
    settings = find_target([str(folder)], load_settings()).settings
    initialise(settings)
    with opened(settings) as lake:
        make_table(lake, TABLE)
    return settings


def make_table(lake: Lakehouse, name: TableId) -> Table:
    lake.catalog.create_namespace_if_not_exists(name.namespace)
    table = lake.catalog.create_table(
        name.identifier, things(0, 0).schema, properties={"dp.adopted": "true"}
    )
    table.append(things(0, 5))
    for number in range(1, COMMITS):
        overwrite(lake, 10 * number, name)
    table.refresh()
    with table.manage_snapshots() as manage:
        manage.create_tag(table.metadata.snapshots[0].snapshot_id, "first")
    return table


def overwrite(lake: Lakehouse, first: int, name: TableId = TABLE) -> None:
    """A writer that is not ours: all rows are others, by a snapshot that deletes, one that adds."""
    lake.catalog.load_table(name.identifier).overwrite(things(first, first + 5))


def metadata_of(lake: Lakehouse, name: TableId = TABLE) -> Json:
    pointer = pointer_of(lake, name)
    return parse_metadata(LocalLakeFiles().read(pointer), location=pointer)


def pointer_of(lake: Lakehouse, name: TableId = TABLE) -> str:
    return list_pointers(lake.catalog)[name]


def snapshots_of(lake: Lakehouse, name: TableId = TABLE) -> list[int]:
    return [s["snapshot-id"] for s in metadata_of(lake, name)["snapshots"]]


def closure_of(pointer: str) -> TableClosure:
    return read_closure(LocalLakeFiles(), pointer, history=History.ALL)


def check_whole(pointer: str) -> None:
    """Every file that any kept snapshot, branch or tag names is there."""
    missing = [f.path for f in closure_of(pointer).files if not Path(one_spelling(f.path)).exists()]
    assert missing == []


def read_both(pointer: str, folder: Path) -> tuple[Readings, Readings]:
    """By PyIceberg and DuckDB, every snapshot and ref."""
    return by_pyiceberg(pointer), by_duckdb(pointer, folder)


def check_unchanged(before: tuple[Readings, ...], after: tuple[Readings, ...]) -> None:
    """Everything that can still be asked for has the answer it had."""
    for was, is_ in zip(before, after, strict=True):
        assert is_
        assert is_ == {name: was[name] for name in is_}


def run_expiry(
    lake: Lakehouse,
    *,
    retention: Retention = TWO,
    name: TableId = TABLE,
    at_ms: int | None = None,
    between: Callable[[], object] = lambda: None,
    failpoint: Callable[[str], None] = no_failpoint,
) -> ExpiryDone:
    """Plan, let something happen, expire."""
    at = now_ms() + 5 if at_ms is None else at_ms
    planned = planned_expiry(lake, str(name), retention, now_ms=at)
    between()
    return expire(lake, planned, retention, now_ms=at, failpoint=failpoint)


def files_below(lake: Lakehouse) -> dict[Path, bytes]:
    """Every file of the warehouse but the records of the trash."""
    root = Path(one_spelling(str(lake.settings.warehouse.root)))
    found = (path for path in root.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if "_dp/trash" not in str(path)}


def record_of(lake: Lakehouse) -> TrashRecord:
    """The only one in the trash."""
    (record,) = open_trash(lake).all()
    return record


def there(lake: Lakehouse, record: TrashRecord) -> int:
    """How many of the record's files are still there."""
    files = lake.files
    return sum(files.stat(file.path) is not None for file in record.files)


def after_the_window(lake: Lakehouse, **given: Any) -> tuple[Emptied, ...]:
    """Empty the trash eight days from now."""
    return empty_trash(lake, now_ms=now_ms() + 8 * DAY_MS, **given)
