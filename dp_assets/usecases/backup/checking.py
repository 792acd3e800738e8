"""`dp fsck`: whether everything that the tables need is there and is what it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dp_assets.adapters.doctor.doctor_metadata import examine_metadata, metadata_files
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.lake.doctor_tables import number
from dp_assets.domains.lake.fsck import Finding, Fsck, behind, shared_locations
from dp_assets.domains.lake.naming import find_table
from dp_assets.usecases.backup.stored_copies import StoredCopies
from dp_assets.usecases.backup.table_checking import Checked, Looking, TableCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.doctor import MetadataFile
    from dp_assets.ports.lake_files import LakeFiles

ATTEMPTS = 3  # for a table that moves while it is looked at


def fsck(
    lake: Lakehouse,
    names: Sequence[str] = (),
    *,
    deep: bool = False,
    repository: Repository | None = None,
    progress: BackupProgress | None = None,
    files: LakeFiles | None = None,
) -> Fsck:
    """Look at every reachable file of the tables; changes nothing.

    Args:
        lake: open.
        names: of tables; all when empty. Shared locations are found among those looked at.
        deep: read every file: footers, row counts, and the hash of what the repository holds.
        repository: to compare with, when ``deep``.
        progress: told what is looked at.
        files: of the lake; for tests.

    Raises:
        ConfigurationError: there is no such table.
        TransientError, PermanentError: the catalog cannot be read. What is wrong with a table is
            a finding.
    """
    pointers = list_pointers(lake.catalog)
    chosen = [find_table(name, pointers) for name in names] or sorted(pointers)
    looking = Looking(
        files=files or lake.files,
        workers=lake.settings.backup.workers,
        deep=deep,
        copies=StoredCopies(repository) if repository and deep else None,
        progress=progress or NobodyWatches(),
    )
    totals, findings = [0, 0, 0], list[Finding]()
    locations: dict[TableId, str] = {}
    for table in dict.fromkeys(chosen):
        checked = check_settled(lake, looking, table, pointers[table])
        if checked is None:
            continue
        findings += checked.findings
        if checked.closure is not None:
            locations[table] = checked.closure.location
            seen = (len(checked.closure.files), checked.bytes, checked.compared)
            totals = [a + b for a, b in zip(totals, seen, strict=True)]
    findings += shared_locations(locations)
    unusable = tuple(looking.copies.problems) if looking.copies else ()
    return Fsck(len(chosen), *totals, findings=tuple(findings), unusable=unusable)


def check_settled(
    lake: Lakehouse, looking: Looking, table: TableId, pointer: str
) -> Checked | None:
    """One table, looked at again when it moved on meanwhile: then files may go. None: dropped."""
    for attempt in range(ATTEMPTS):
        checked = _check(lake, looking, table, pointer)
        if not checked.findings or attempt == ATTEMPTS - 1:
            return checked
        now = read_pointer(lake.catalog, table) if pointer else pointer
        if now is None:
            return None
        if now == pointer:
            return checked
        pointer = now
    raise AssertionError


def _check(lake: Lakehouse, looking: Looking, table: TableId, pointer: str) -> Checked:
    checked = TableCheck(looking, table).run(pointer)
    if checked.closure is None:
        return checked
    at, newer = newer_metadata(lake, pointer)
    return replace(checked, findings=(*checked.findings, *behind(table, at, newer)))


def newer_metadata(lake: Lakehouse, pointer: str) -> tuple[MetadataFile, tuple[MetadataFile, ...]]:
    """The metadata file at ``pointer``, and those beside it with higher numbers, in order."""
    io, at = ReadingIO(lake.catalog.properties), number(pointer)
    beside = {name: number(name) for name in metadata_files(pointer)} if at is not None else {}
    higher = sorted((n, name) for name, n in beside.items() if n is not None and n > (at or 0))
    if not higher:
        return examine_metadata(io, pointer), ()
    return (
        examine_metadata(io, pointer),
        tuple(examine_metadata(io, name) for _, name in higher),
    )
