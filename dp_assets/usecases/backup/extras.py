"""What a recovery point holds besides tables: the dump's files, the settings, Dagster's storage."""

from __future__ import annotations

import io
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dp_assets.adapters.metastore.catalog_fill import LOCATION
from dp_assets.adapters.metastore.sqlite_backup import copy_database
from dp_assets.adapters.objects.local_reader import LocalReader
from dp_assets.adapters.recovery.dagster_storage import storage_files
from dp_assets.core.errors import LakeError
from dp_assets.core.units import MIB
from dp_assets.domains.backup.moved_metadata import parse_metadata
from dp_assets.ports.recovery import DumpFile, MetastoreDump
from dp_assets.ports.repository_index import FileKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.adapters.recovery.dagster_storage import StorageFile
    from dp_assets.ports.metastore import Dumped
    from dp_assets.ports.recovery import ObjectRef
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.backup_parts import Parts

MAX_RUN_LOG_BYTES = 256 * MIB
DAGSTER = "dagster storage of {}"  # stands for a table's uuid in the index
HEADER = "# Settings in force when the recovery point was made; secrets are shown as ***.\n"


def store_dump(parts: Parts, folder: Path, dumped: Dumped) -> MetastoreDump:
    """The dump of the cut, file by file."""
    files = [DumpFile(file.path, _store(parts, folder / file.path)) for file in dumped.files]
    return MetastoreDump(
        kind=dumped.kind.value,
        server_version=dumped.server_version,
        taken_at_ms=dumped.taken_at_ms,
        files=tuple(files),
        rows=dumped.rows,
    )


def whole_views(
    parts: Parts, views: Mapping[str, Mapping[str, Any]]
) -> tuple[Mapping[str, Mapping[str, Any]], tuple[str, ...]]:
    """Views with their definitions, and what could not be read, in words: no table depends on it.

    A catalog in a database names only the file of a view, and that file is lost with the warehouse.
    """
    found: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    for name, view in views.items():
        found[name] = view
        location = view.get(LOCATION) if set(view) == {LOCATION} else ""
        if location:
            try:
                found[name] = parse_metadata(parts.files.read(location), about=location)
            except LakeError as error:
                problems.append(f"view {name}: its definition is not in the point: {error.what}")
    return found, tuple(problems)


def store_settings(parts: Parts, settings: Settings) -> ObjectRef:
    """The settings as ``dp config`` shows them, as YAML."""
    shown = settings.model_dump(mode="json", by_alias=True)
    text = HEADER + yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)
    return parts.add(io.BytesIO(text.encode()))[0]


def store_dagster(parts: Parts, settings: Settings) -> tuple[tuple[DumpFile, ...], tuple[str, ...]]:
    """Dagster's SQLite files, and what could not be copied, in words: no table depends on it.

    A file that was not written since an earlier point is not read. Event logs of runs are kept up
    to ``MAX_RUN_LOG_BYTES``, newest first; each file is whole, by SQLite's online backup, but two
    files may be of two moments.
    """
    home = settings.dagster_home
    stored: list[DumpFile] = []
    problems: list[str] = []
    for found in storage_files(home, max_log_bytes=MAX_RUN_LOG_BYTES):
        parts.heartbeat.require()
        try:
            with tempfile.TemporaryDirectory(prefix="dp-dagster-") as scratch:
                stored.append(_dagster_file(parts, home, found, Path(scratch)))
        except _StorageError as error:
            problems.append(f"Dagster's {found.path} is left out: {error.problem}")
    return tuple(stored), tuple(problems)


class _StorageError(Exception):
    """A database of Dagster cannot be copied."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _dagster_file(parts: Parts, home: Path, found: StorageFile, scratch: Path) -> DumpFile:
    index = parts.target.index
    key = FileKey(DAGSTER.format(home), found.path, found.size, found.version)
    row = index.files([key]).get(key)
    known = parts.target.known.trusted(row) if row else None
    if known is not None:
        return DumpFile(found.path, known)
    copy = scratch / "copy.db"
    try:
        copy_database(home / found.path, copy)
    except LakeError as error:
        raise _StorageError(error.what) from error
    ref = _store(parts, copy)
    index.add_files([(key, ref)])
    return DumpFile(found.path, ref)


def _store(parts: Parts, path: Path) -> ObjectRef:
    with LocalReader(str(path)) as reader:
        return parts.add(reader)[0]


def software() -> str:
    """Who makes the point, with its version as far as it is known."""
    try:
        return f"dp-assets {version('dp-assets')}"
    except PackageNotFoundError:
        return "dp-assets"
