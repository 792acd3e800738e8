"""Recovery points of a few bytes, made by the protocol that backups keep, on any object store."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dp_assets.adapters.objects.leases_objects import ObjectLeases
from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.core.units import HOUR_MS
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.guarded import OneObject
from dp_assets.domains.backup.index import refresh
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.prune import condemned_names
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.verification import Share, Verified
from dp_assets.ports.leases import held_lease
from dp_assets.ports.object_store import ObjectStore
from dp_assets.ports.recovery import (
    DumpFile,
    FileKind,
    History,
    MetastoreDump,
    ObjectRef,
    PointManifest,
    PointRecord,
    PointTable,
    ReachableFile,
    References,
    StoredFile,
    TableContent,
)
from dp_assets.ports.repository_index import RepositoryIndex
from dp_assets.usecases.backup.verifying import Verification, verify

START_MS = 1_700_000_000_000
LEASE_MS = 5 * 60_000
Files = Mapping[str, bytes]  # path -> content
Tables = Mapping[str, Files]


@dataclass
class Clock:
    """A clock that stands still until somebody moves it."""

    now_ms: int = START_MS

    def __call__(self) -> int:
        return self.now_ms

    def hours(self, count: float) -> None:
        self.now_ms += int(count * HOUR_MS)


@dataclass
class Content:
    """What a table's content is made of, when it is a real one."""

    pointer: str = "metadata.json"
    kinds: Mapping[str, FileKind] = field(default_factory=dict)
    snapshots: tuple = ()
    head: int | None = None


def leases_of(store: ObjectStore, clock: Callable[[], int]) -> ObjectLeases:
    return ObjectLeases(store, now_ms=clock, sleep=lambda _: None)


def back_up(
    repository: Repository,
    clock: Callable[[], int],
    tables: Tables,
    *,
    contents: Mapping[str, Content] | None = None,
    complete: bool = True,
    index: RepositoryIndex | None = None,
) -> PointRecord:
    """One point; without an index as on a new machine. Raises as a backup does."""
    leases = leases_of(repository.store, clock)
    points = Points(repository)
    with held_lease(leases, "backup", owner="backup", ttl_ms=LEASE_MS, wait_ms=0) as lease:
        index = index or SqliteRepositoryIndex(None, repository_id="r")
        refresh(points, repository, index)
        number = points.claim("backup", now_ms=clock())

        def store() -> tuple[tuple[PointTable, ...], ObjectRef]:
            known = OneObject(index, lambda: leases.check(lease))
            lines = tuple(
                _table(repository, known, name, files, (contents or {}).get(name, Content()))
                for name, files in tables.items()
            )
            return lines, repository.add(io.BytesIO(b"the catalog"), known=known)

        lines, dump = store()
        seen = condemned_names(repository)
        index.set_condemned(seen)
        lines, dump = store()  # what was condemned meanwhile
        manifest = _manifest(number, clock(), lines, dump)
        sealed = points.seal_manifest(manifest)
        record = _record(manifest, lines, dump, sealed, complete=complete)
        leases.check(lease)
        points.commit(record, sealed)
        return record


def verify_fully(
    repository: Repository, *, now_ms: int = START_MS, point: int | None = None
) -> Verified:
    index = SqliteRepositoryIndex(None, repository_id="r")
    share = Share(now_ms, reread_days=30, full=True)
    return verify(repository, index, Verification(share, point=point, workers=1))


def _table(
    repository: Repository, known: OneObject, name: str, files: Files, content: Content
) -> PointTable:
    stored = tuple(
        StoredFile(
            ReachableFile(path, content.kinds.get(path, FileKind.DATA)),
            "1",
            repository.add(io.BytesIO(files[path]), known=known),
        )
        for path in sorted(files)
    )
    whole = TableContent(
        table=name,
        uuid=f"uuid of {name}",
        pointer=content.pointer,
        location="/lake",
        format_version=2,
        history=History.ALL,
        head=content.head,
        schema={},
        refs={},
        snapshots=content.snapshots,
        files=stored,
    )
    ref = repository.add_document(whole, known=known)
    objects = tuple((s.ref.name, s.ref.stored_sha256, s.ref.stored_size) for s in stored)
    listed, size = repository.add_public(References(objects))
    return PointTable(
        table=name,
        uuid=whole.uuid,
        pointer=whole.pointer,
        files=len(stored),
        bytes=sum(s.ref.size for s in stored),
        rows=None,
        snapshots=len(content.snapshots),
        head=content.head,
        content=ref,
        references=ObjectRef(listed, listed, size, listed, size),
    )


def _manifest(
    number: int, now_ms: int, lines: tuple[PointTable, ...], dump: ObjectRef
) -> PointManifest:
    return PointManifest(
        number=number,
        lakehouse_id="lake-1",
        origin="",
        catalog_address="sqlite:///lake.db",
        warehouse="/lake",
        started_at_ms=now_ms,
        finished_at_ms=now_ms,
        cut="exact",
        cut_at_ms=now_ms,
        skew_ms=0,
        history=History.ALL,
        include=("*",),
        exclude=(),
        tables=lines,
        namespaces={},
        views={},
        dump=MetastoreDump("sqlite", "3", now_ms, (DumpFile("catalog.db", dump),)),
        settings=None,
    )


def _record(manifest, lines, dump, sealed, *, complete) -> PointRecord:
    refs = [*(line.content for line in lines), dump]
    return PointRecord(
        number=manifest.number,
        format=layout.FORMAT,
        lakehouse_id=manifest.lakehouse_id,
        created_at_ms=manifest.finished_at_ms,
        cut_at_ms=manifest.cut_at_ms,
        complete=complete,
        tables=len(lines),
        bytes=0,
        copied_bytes=0,
        seconds=0,
        manifest_sha256=sealed.sha256,
        manifest_size=len(sealed.stored),
        references=tuple(dict.fromkeys(line.references.name for line in lines)),
        objects=tuple(sorted({(r.name, r.stored_sha256, r.stored_size) for r in refs})),
    )
