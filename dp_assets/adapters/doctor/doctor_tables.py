"""Reads every table's pointer, finds the states before a broken one, and moves it back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyiceberg.catalog import Catalog, MetastoreCatalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io import FileIO
from sqlalchemy import select
from sqlalchemy.orm import Session

from dp_assets.adapters.doctor.doctor_metadata import examine_metadata, metadata_files
from dp_assets.adapters.pyiceberg_inventory import UNLOADABLE, UNREADABLE, list_pointers, reading_io
from dp_assets.adapters.pyiceberg_pointer import read_pointer, swap_pointer
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.sqlite_lock import explain_locked
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.ports.doctor import MetadataFile, TableReading

NO_POINTER = "the catalog does not load it and names no metadata file"


@dataclass(frozen=True, slots=True)
class Before:
    """The states before a broken pointer; ``others`` stay unread while ``previous`` is usable."""

    previous: MetadataFile | None
    others: tuple[MetadataFile, ...] = ()


def read_tables(catalog: Catalog, *, number: Callable[[str], int | None]) -> Iterator[TableReading]:
    """Every table with what its pointer leads to; ``number`` orders the names of metadata files.

    Raises TransientError when the catalog is locked or does not answer, else PermanentError.
    """
    io = ReadingIO(catalog.properties)
    for table, pointer in list_pointers(catalog).items():
        found = _examined(catalog, table, pointer, io)
        if pointer and not found.is_readable and isinstance(catalog, SqlCatalog):
            now = read_pointer(catalog, table)
            if now is None:
                continue  # dropped since it was listed
            found = found if now == pointer else _examined(catalog, table, now, io)
        yield TableReading(table, found, newer=_newer(found.location, number))


def states_before(catalog: SqlCatalog, table: TableId, broken: str) -> Before:
    """What the catalog recorded before ``broken``, and the metadata files beside it."""
    io = ReadingIO(catalog.properties)
    recorded = _recorded_previous(catalog, table)
    previous = examine_metadata(io, recorded) if recorded else None
    if previous and previous.is_usable:
        return Before(previous)
    known = {broken, recorded}
    beside = (name for name in metadata_files(broken) if name not in known)
    others = tuple(examine_metadata(io, location) for location in beside)
    return Before(previous, (*others, previous) if previous else others)


def move_back(
    catalog: SqlCatalog,
    table: TableId,
    *,
    broken: str,
    target: MetadataFile,
    before_swap: Callable[[], None],
) -> None:
    """Move the pointer from ``broken`` to ``target`` and load the table; deletes nothing.

    Both files are read again first; ``before_swap`` is the last word of who guards the table.

    Raises:
        TransientError: the table is not as it was when the repair was planned.
        PermanentError: the pointer was moved, but the table does not load.
    """
    io = ReadingIO(catalog.properties)
    now = examine_metadata(io, broken)
    if now.is_readable or not now.is_reachable or examine_metadata(io, target.location) != target:
        raise TransientError(
            f"repair {table}: its metadata files changed since they were examined",
            hint="nothing was changed; run 'dp doctor' again",
        )
    before_swap()
    swap_pointer(catalog, table, old=broken, new=target.location)
    _verify(catalog, table, target)


def _examined(catalog: Catalog, table: TableId, pointer: str, io: FileIO) -> MetadataFile:
    """A REST catalog may hand out credentials per table; metastores leave file access to us."""
    if not pointer:
        return MetadataFile("", problem=NO_POINTER)
    try:
        if not isinstance(catalog, MetastoreCatalog):
            io = reading_io(catalog, table)
        return examine_metadata(io, pointer)
    except UNLOADABLE as error:
        return MetadataFile(pointer, problem=f"cannot be loaded: {error}", is_reachable=False)


def _newer(pointer: str, number: Callable[[str], int | None]) -> tuple[str, ...]:
    at = number(pointer)
    if at is None:
        return ()
    return tuple(name for name in metadata_files(pointer) if (number(name) or 0) > at)


def _recorded_previous(catalog: SqlCatalog, table: TableId) -> str | None:
    wanted = select(IcebergTables.previous_metadata_location).where(
        IcebergTables.catalog_name == catalog.name,
        IcebergTables.table_namespace == table.namespace,
        IcebergTables.table_name == table.name,
    )
    with explain_locked(catalog.engine), Session(catalog.engine) as session:
        return session.scalars(wanted).first()


def _verify(catalog: SqlCatalog, table: TableId, target: MetadataFile) -> None:
    try:
        loaded = catalog.load_table(table.identifier)
        head = loaded.current_snapshot()
        if head:
            head.manifests(loaded.io)
    except UNREADABLE as error:
        raise PermanentError(
            f"{table} was moved back to {target.location} and does not load: {error}",
            hint="run 'dp doctor' again; no file was changed",
        ) from error
    found = head.snapshot_id if head else None
    if loaded.metadata_location != target.location or found != target.head_id:
        raise PermanentError(
            f"{table} was moved back to {target.location}, but is at {loaded.metadata_location}",
            hint="somebody else moved it, too; look at 'dp table' before you write to it",
        )
