"""The health of one table, from one read of its closure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.orphan_state import read_unheld
from dp_assets.adapters.pyiceberg_inventory import UNREADABLE
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError
from dp_assets.domains.maintenance.health import health_of
from dp_assets.domains.maintenance.sizing import target_bytes
from dp_assets.ports.health_state import Unmeasured
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.deciding import policy_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.adapters.iceberg_json import Json
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import ParsedFiles
    from dp_assets.ports.health_state import Measured
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.maintenance import TableHealth

    Target = Callable[[int], int]

ATTEMPTS = 3  # for a table that moves while it is read, so that its old files may go
HINT = "'dp doctor' and 'dp fsck' say what is wrong with it"


def measure_health(
    lake: Lakehouse, table: TableId, *, now_ms: int, known: ParsedFiles | None = None
) -> TableHealth:
    """The table as the catalog has it now.

    Args:
        lake: open.
        table: in the catalog.
        now_ms: noted as the time of the measurement.
        known: lists and manifests read before, which are not read again; new ones are added.

    Raises:
        PermanentError: there is no such table, or its metadata cannot be read.
        TransientError: the store or the catalog did not answer.
    """
    pointer = existing_pointer(lake.catalog, table)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            found = health_at(
                lake.files,
                pointer,
                table=table,
                now_ms=now_ms,
                known=known,
                target=lambda metadata: _target(lake, table, metadata, now_ms=now_ms),
            )
            return with_unheld(lake, found)
        except PermanentError:
            moved_to = existing_pointer(lake.catalog, table)
            if moved_to == pointer or attempt == ATTEMPTS:
                raise
            pointer = moved_to
    raise AssertionError("the last attempt returns or raises")


def with_unheld(lake: Lakehouse, found: TableHealth) -> TableHealth:
    """``found`` with what the last sweep for orphans left; such a sweep moves no pointer."""
    last = read_unheld(lake.settings.state_dir, found.uuid)
    return replace(found, unheld_bytes=last.bytes if last else None)


def health_at(
    files: LakeFiles,
    pointer: str,
    *,
    table: TableId,
    now_ms: int,
    known: ParsedFiles | None = None,
    target: Callable[[Json], Target] = lambda _: target_bytes,
) -> TableHealth:
    """The table that the metadata file at ``pointer`` describes.

    Args:
        files: where it lies.
        pointer: of the table.
        table: its name.
        now_ms: noted as the time of the measurement.
        known: as of `measure_health`.
        target: from the metadata, bytes of a data file by those of its partition.

    Raises:
        PermanentError: it, or a list or manifest that it names, cannot be read.
        TransientError: the store did not answer.
    """
    try:
        closure = read_closure(files, pointer, history=History.ALL, known=known)
        stat = files.stat(pointer)
        return health_of(
            closure,
            table=table,
            at_ms=now_ms,
            metadata_bytes=stat.size if stat else 0,
            target=target(closure.metadata),
        )
    except PermanentError:
        raise
    except UNREADABLE as error:
        said = f"{type(error).__name__}: {error}"
        raise PermanentError(
            f"the metadata of {table} makes no sense: {said}", hint=HINT
        ) from error


def _target(lake: Lakehouse, table: TableId, metadata: Json, *, now_ms: int) -> Target:
    """As the table's policy says; rules that contradict each other are no reason not to look."""
    try:
        return policy_for(lake, table, metadata, now_ms=now_ms).target
    except ConfigurationError:
        return target_bytes


def measured(lake: Lakehouse, table: TableId, pointer: str, *, now_ms: int) -> Measured:
    """The table's health, or why there is none; never raises for what is wrong with one table."""
    try:
        return measure_health(lake, table, now_ms=now_ms)
    except LakeError as error:
        return Unmeasured(table, pointer, now_ms, error.what)
