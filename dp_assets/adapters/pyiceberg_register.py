"""Registering an existing table: its files are looked for, and only the catalog is changed."""

import re
from collections.abc import Iterator
from pathlib import Path

from pyiceberg.catalog import Catalog, MetastoreCatalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import FileIO
from pyiceberg.table.snapshots import Snapshot

from dp_assets.adapters.catalog_errors import database_errors
from dp_assets.adapters.iceberg_json import head_id, read_metadata
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.metadata_facts import Json, facts_of
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_inventory import UNREADABLE, count_files
from dp_assets.adapters.pyiceberg_pointer import insert_pointer, read_pointer
from dp_assets.adapters.table_folders import plain
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import TableFacts

WHICH = "name the table's newest *.metadata.json"
SHOWN = 3
MAX_LOOKED_FOR = 1_000  # data files; each is a request to an object store


def absolute_location(text: str) -> str:
    """A location as it is recorded: URIs as they are, local paths made absolute.

    Raises ConfigurationError for a folder, and names the newest metadata file in it.
    """
    path = local_path(text)
    if path is None:
        return text
    found = path.expanduser().absolute()
    if found.is_dir():
        newest = max(_metadata_files(found), key=_age, default=None)
        raise ConfigurationError(
            f"{found} is a folder",
            hint=f"its newest metadata file is {newest}" if newest else WHICH,
        )
    return text if text.startswith("file:") else str(found)


def read_registrable(io: FileIO, location: str, table: TableId) -> TableFacts:
    """The facts of the table at ``location``, once everything its head needs was found.

    Looked for: the manifest list, every manifest, and live files, evenly chosen where many.

    Raises:
        ConfigurationError: no Iceberg metadata, or of a shape that cannot be read.
        PermanentError: files are missing.
    """
    try:
        metadata = read_metadata(io, location)
        _refuse_copy(metadata, location)
        facts = facts_of(
            metadata, table=table, pointer=location, count=lambda head: count_files(io, head)
        )
        missing = [] if facts.head_snapshot_id is None else list(_missing(io, _head(metadata)))
    except ConfigurationError:
        raise
    except UNREADABLE as error:
        said = error.what if isinstance(error, PermanentError) else f"{location}: {error}"
        raise ConfigurationError(said, hint=WHICH) from error
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise PermanentError(
            f"{location} needs files that are not there: {', '.join(missing[:SHOWN])}{more}",
            hint="a table cannot be moved by copying its files: locations in it are absolute",
        )
    return facts


def register_table(catalog: Catalog, table: TableId, location: str) -> None:
    """Enter ``table`` into the catalog, and its namespace where missing.

    Raises PermanentError when the name was taken meanwhile.
    """
    doing = f"register {table}"
    with verdicts(doing, hint="see 'dp tables'"), database_errors(catalog, doing):
        catalog.create_namespace_if_not_exists(table.identifier[:-1])
        try:
            if isinstance(catalog, SqlCatalog):
                insert_pointer(catalog, table, location)
            else:
                catalog.register_table(table.identifier, location)
        except ValueError:  # PyIceberg loads it afterwards, and cannot read all that we can
            if read_pointer(catalog, table) != location:
                raise


def require_served(catalog: Catalog, table: TableId, uuid: str) -> None:
    """A catalog service answers with metadata of its own: is it that of the table?

    SeaweedFS 4.48 takes a registration and then serves a table without columns, rows or history.

    Raises PermanentError.
    """
    if isinstance(catalog, MetastoreCatalog):
        return  # it gives a pointer, and readers open the file
    with verdicts(f"load {table}", hint="see 'dp tables'"):
        served = str(catalog.load_table(table.identifier).metadata.table_uuid)
    if served.lower() != uuid.lower():
        raise PermanentError(
            f"catalog {catalog.name} has registered {table} and serves another table in its place "
            f"({served}, not {uuid})",
            hint="its files are whole; this server cannot take over tables, choose another catalog",
        )


def _metadata_files(folder: Path) -> Iterator[Path]:
    for place in (folder, folder / "metadata"):
        yield from place.glob("*.metadata.json")
        yield from place.glob("*.metadata.json.gz")


def _age(path: Path) -> tuple[int, int]:
    """Orders metadata files: by the number in their name, then by time."""
    number = re.match(r"v?(\d+)", path.name)
    return (int(number[1]) if number else -1, path.stat().st_mtime_ns)


def _refuse_copy(metadata: Json, location: str) -> None:
    """A metadata file that lies elsewhere than it says is a copy, of a table that is not here."""
    written_to = (metadata.get("properties") or {}).get("write.metadata.path")
    homes = [plain(home) for home in (metadata["location"], written_to) if home]
    if not any(plain(location).startswith(f"{home.rstrip('/')}/") for home in homes):
        raise ConfigurationError(
            f"{location} is a copy: its table is at {metadata['location']}",
            hint="register the file there; a moved table must be rewritten, its paths are absolute",
        )


def _head(metadata: Json) -> Json:
    current = head_id(metadata)
    return next(s for s in metadata["snapshots"] if s["snapshot-id"] == current)


def _missing(io: FileIO, snapshot: Json) -> Iterator[str]:
    """What is not there of the snapshot: list, manifests, and data files up to a number."""
    listed = snapshot.get("manifest-list")
    if not listed:
        return  # version 1 may name its manifests itself; the facts have read them
    if not io.new_input(listed).exists():
        yield listed
        return
    paths: list[str] = []
    for manifest in Snapshot.model_validate(snapshot).manifests(io):
        if io.new_input(manifest.manifest_path).exists():
            paths += (entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io))
        else:
            yield manifest.manifest_path
    for path in paths[:: max(1, len(paths) // MAX_LOOKED_FOR)]:
        if not io.new_input(path).exists():
            yield path
