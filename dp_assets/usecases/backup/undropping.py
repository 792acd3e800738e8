"""A dropped or damaged table back in its own place: its name, uuid, paths, history and refs.

Files that are missing or not what they were are put back byte for byte; files that are right are
not touched. The catalog's pointer comes last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.namespace_properties import write_properties
from dp_assets.adapters.objects.copying import StoppedError, Workers, threads_for
from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.adapters.pyiceberg_register import register_table, require_served
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.moved_metadata import encode_metadata
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.restore_plan import (
    NEWER,
    OF_THE_LAKEHOUSE,
    Wanted,
    require_room,
)
from dp_assets.ports.recovery import FileKind, History
from dp_assets.usecases.backup.copied_files import is_whole, nobody_counts
from dp_assets.usecases.backup.putting_back import Hand, put_back
from dp_assets.usecases.backup.registering_restored import replace_pointer, require_replaceable
from dp_assets.usecases.backup.relocation import metadata_of
from dp_assets.usecases.backup.restore_planning import newest_first, require_object
from dp_assets.usecases.backup.trash_files import Trash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event
    from typing import Any

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.recovery import (
        PointManifest,
        PointRecord,
        PointTable,
        StoredFile,
        TableContent,
    )

PART_DIGITS = 12


@dataclass(frozen=True, slots=True)
class UndropPlan:
    """What is needed to have the table as the point knows it.

    Attributes:
        content: the table in the recovery point.
        pointer: the metadata file that it will have.
        current: the pointer it has now; "" when there is no such table.
        missing: files to put back; ``different`` ones are there with other bytes.
        lost_log: earlier metadata files of the table's log that are gone and stay so: a recovery
            point holds the newest alone, which has the whole history.
    """

    table: TableId
    point: PointRecord
    manifest: PointManifest
    line: PointTable
    content: TableContent
    pointer: str
    current: str
    missing: tuple[StoredFile, ...]
    different: tuple[StoredFile, ...]
    lost_log: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """To be written."""
        return sum(f.ref.size for f in (*self.missing, *self.different))

    @property
    def is_needed(self) -> bool:
        """Whether anything differs from what the point knows."""
        return bool(self.missing or self.different) or self.current != self.pointer


def plan_undrop(
    lake: Lakehouse,
    repository: Repository,
    name: str,
    wanted: Wanted,
    *,
    on_bytes: Callable[[int], None] = nobody_counts,
) -> UndropPlan:
    """Compare every file of the table, by reading it, with what the point knows; change nothing.

    Without a point in ``wanted`` it is the newest that holds the table whole. ``on_bytes`` is told
    how much was compared.

    Raises:
        ConfigurationError: no point holds the table, or the catalog moves no pointer back.
        PermanentError: the repository has lost what is needed, or the table is there at another
            pointer and ``wanted.replace`` does not say that it may be moved back.
    """
    table = TableId.parse(name)
    lake.require_identity(f"undrop {table}")
    points = Points(repository)
    record, manifest, line = _newest_with(points, table, wanted)
    content = points.content(line)
    pointer = restored_pointer(content)
    current = read_pointer(lake.catalog, table) or ""
    _require_may_move(table, current, pointer, record, replace=wanted.replace)
    if current and current != pointer:
        require_replaceable(lake.settings, f"undrop {table}")
    files = lake.files
    missing, different = _compare(files, content, lake.settings.backup.workers, on_bytes)
    for stored in (*missing, *different):
        require_object(repository, stored.ref, about=stored.file.path)
    return UndropPlan(
        table=table,
        point=record,
        manifest=manifest,
        line=line,
        content=content,
        pointer=pointer,
        current=current,
        missing=missing,
        different=different,
        lost_log=_lost_log(files, metadata_of(repository, content)),
    )


def undrop(
    lake: Lakehouse,
    repository: Repository,
    plan: UndropPlan,
    *,
    on_bytes: Callable[[int], None] = nobody_counts,
) -> None:
    """Carry out ``plan``; killed, it is planned and called again.

    Raises:
        PermanentError: a name was taken meanwhile, the disk is full, an object is damaged.
        TransientError: somebody else is at the table.
    """
    lake.require_identity(f"undrop {plan.table}")
    with lake.lease(f"undrop/{plan.table}", doing="dp undrop"):
        _make_namespace(lake, plan)
        _put_back(lake, repository, plan, on_bytes)
        _register(lake, plan)


def restored_pointer(content: TableContent) -> str:
    """The table's own metadata file; a part of its history needs one beside it.

    Its name says which part: another point may hold less of the same state.
    """
    if content.history is History.ALL:
        return content.pointer
    folder, _, file = content.pointer.rpartition("/")
    kept = sorted(snapshot.snapshot_id for snapshot in content.snapshots)
    part = hashlib.sha256(repr(kept).encode()).hexdigest()[:PART_DIGITS]
    return f"{folder}/{file.partition('.')[0]}-restored-{part}.metadata.json"


def _newest_with(
    points: Points, table: TableId, wanted: Wanted
) -> tuple[PointRecord, PointManifest, PointTable]:
    """The newest point that holds the table whole, or the one that was asked for."""
    for record in newest_first(points):
        if wanted.point is not None and record.number != wanted.point:
            continue
        if wanted.as_of_ms is not None and record.cut_at_ms > wanted.as_of_ms:
            continue
        manifest = points.manifest(record)
        for line in manifest.tables:
            if line.table == str(table) and line.content is not None:
                return record, manifest, line
    raise ConfigurationError(f"no recovery point holds {table}", hint=NEWER)


def _require_may_move(
    table: TableId, current: str, pointer: str, record: PointRecord, *, replace: bool
) -> None:
    if current and current != pointer and not replace:
        raise PermanentError(
            f"{table} exists, with a state that recovery point {record.number} does not know",
            hint=f"'dp restore --table {table} --rename {table}=...' puts a copy beside it; "
            "--replace moves it back and gives up every commit since",
        )


def _compare(
    files: LakeFiles, content: TableContent, workers: int, on_bytes: Callable[[int], None]
) -> tuple[tuple[StoredFile, ...], tuple[StoredFile, ...]]:
    """The files that are missing, and those that are there and differ."""

    def state(stored: StoredFile, stop: Event) -> str:
        if stop.is_set():
            raise StoppedError
        path = stored.file.path
        found = "missing"
        if files.stat(path):
            found = "right" if is_whole(files, path, stored.ref) else "different"
        on_bytes(stored.ref.size)
        return found

    # A reduced history gets metadata of its own; the file of the whole one is left as it is.
    wanted = [
        stored
        for stored in content.files
        if stored.file.kind is not FileKind.METADATA or content.history is History.ALL
    ]
    sizes, places = [stored.ref.size for stored in wanted], [content.pointer]
    states = Workers(state, count=threads_for(sizes, places, most=workers)).run(wanted)
    pairs = list(zip(wanted, states, strict=True))
    return (
        tuple(stored for stored, found in pairs if found == "missing"),
        tuple(stored for stored, found in pairs if found == "different"),
    )


def _lost_log(files: LakeFiles, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """At most as many as the table keeps, 100 by default."""
    named = [str(entry["metadata-file"]) for entry in metadata.get("metadata-log") or ()]
    return tuple(path for path in named if not files.stat(path))


def _put_back(
    lake: Lakehouse, repository: Repository, plan: UndropPlan, on_bytes: Callable[[int], None]
) -> None:
    files = lake.files
    require_room(plan.bytes, _free_bytes(lake), where=lake.settings.warehouse.root)
    trash = Trash(lake.settings, table=str(plan.table), why="dp undrop")
    workers = lake.settings.backup.workers
    hand = Hand(repository, files, trash, workers=workers, on_bytes=on_bytes)
    put_back(hand, plan.missing, plan.different)
    if plan.pointer != plan.content.pointer and not files.stat(plan.pointer):
        with files.create(plan.pointer) as out:
            out.write(encode_metadata(metadata_of(repository, plan.content)))
            out.commit()


def _register(lake: Lakehouse, plan: UndropPlan) -> None:
    if plan.current == plan.pointer:
        return
    if plan.current:
        replace_pointer(
            lake,
            plan.table,
            old=plan.current,
            new=plan.pointer,
            why=f"dp undrop from recovery point {plan.point.number}",
        )
        return
    register_table(lake.catalog, plan.table, plan.pointer)
    require_served(lake.catalog, plan.table, plan.content.uuid)


def _make_namespace(lake: Lakehouse, plan: UndropPlan) -> None:
    """Before any file: the buckets of some catalogs take none for an unknown namespace."""
    namespace = plan.table.namespace
    if not lake.catalog.namespace_exists(plan.table.identifier[:-1]):
        known = plan.manifest.namespaces.get(namespace, {})
        kept = {k: v for k, v in known.items() if k not in OF_THE_LAKEHOUSE}
        write_properties(lake.catalog, namespace, kept)


def _free_bytes(lake: Lakehouse) -> int | None:
    from dp_assets.usecases.backup.restore_target import Target

    return Target(lake.settings, str(lake.settings.warehouse.root)).free_bytes()
