"""Small repositories to test with, plain and encrypted, and points to put into them."""

import io
from dataclasses import dataclass

import pyrage

from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.secrets import Secret
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import initialise
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.recipients import Recipient
from dp_assets.domains.backup.repository import KnownObjects, Repository
from dp_assets.ports.object_store import ObjectStore
from dp_assets.ports.recovery import (
    FileKind,
    History,
    ObjectRef,
    PointManifest,
    PointRecord,
    PointTable,
    ReachableFile,
    References,
    StoredFile,
    TableContent,
)
from dp_assets.ports.sealing import Sealing
from dp_assets_tests.fakes.known_objects import NothingKnown

NAMING_KEY = Secret("6e" * 32)
NOTHING = NothingKnown()


@dataclass(frozen=True)
class Person:
    """Somebody with a key pair."""

    private: Secret
    public: str


def person() -> Person:
    identity = pyrage.x25519.Identity.generate()
    return Person(Secret(str(identity)), str(identity.to_public()))


def plain_repository(store: ObjectStore) -> Repository:
    return initialise(store, PlainSealing(), repository_id="r-1", now_ms=1000)


def sealed_repository(store: ObjectStore, *readers: Person, can_read: bool = True) -> Repository:
    sealing = AgeSealing(
        recipients=[one.public for one in readers],
        naming_key=NAMING_KEY,
        identities=[one.private for one in readers] if can_read else (),
    )
    return initialise(
        store,
        sealing,
        repository_id="r-1",
        now_ms=1000,
        recipients=[Recipient(one.public) for one in readers],
    )


def reopened(repository: Repository, sealing: Sealing) -> Repository:
    """The same objects, seen with other keys."""
    return Repository(repository.store, sealing, repository.description)


def added(repository: Repository, content: bytes, *, known: KnownObjects = NOTHING) -> ObjectRef:
    return repository.add(io.BytesIO(content), known=known)


def committed_point(
    repository: Repository, files: dict[str, bytes], *, known: KnownObjects = NOTHING
) -> int:
    """A point of one table with ``files`` by path."""
    points = Points(repository)
    number = points.claim("test", now_ms=2000)
    refs = {path: added(repository, data, known=known) for path, data in files.items()}
    commit_refs(repository, number, refs, known=known)
    return number


def commit_refs(
    repository: Repository,
    number: int,
    refs: dict[str, ObjectRef],
    *,
    known: KnownObjects = NOTHING,
) -> None:
    """A point over objects that are stored already."""
    points = Points(repository)
    content = repository.add_document(table_content(refs), known=known)
    listed = tuple(sorted((r.name, r.stored_sha256, r.stored_size) for r in refs.values()))
    name, size = repository.add_public(References(listed))
    references = ObjectRef(name, name, size, name, size)
    manifest = points.seal_manifest(point_manifest(number, content, references))
    record = point_record(number, manifest.sha256, (name,), (_triple(content),))
    points.commit(record, manifest)


def _triple(ref: ObjectRef) -> tuple[str, str, int]:
    return ref.name, ref.stored_sha256, ref.stored_size


def table_content(refs: dict[str, ObjectRef]) -> TableContent:
    files = tuple(
        StoredFile(ReachableFile(path, FileKind.DATA, ref.size), "v1", ref)
        for path, ref in sorted(refs.items())
    )
    return TableContent(
        table="raw.t",
        uuid="u-1",
        pointer="file:///w/t/metadata/1.json",
        location="file:///w/t",
        format_version=2,
        history=History.ALL,
        head=None,
        schema={},
        refs={},
        snapshots=(),
        files=files,
    )


def point_manifest(
    number: int, content: ObjectRef | None = None, references: ObjectRef | None = None
) -> PointManifest:
    tables = (PointTable("raw.t", "u-1", "p", 1, 1, None, 0, None, content, references),)
    return PointManifest(
        number=number,
        lakehouse_id="l-1",
        origin="",
        catalog_address="sqlite:///c",
        warehouse="file:///w",
        started_at_ms=1,
        finished_at_ms=2,
        cut="exact",
        cut_at_ms=1,
        skew_ms=0,
        history=History.ALL,
        include=("*",),
        exclude=(),
        tables=tables if content else (),
        namespaces={},
        views={},
        dump=None,
        settings=None,
    )


def point_record(
    number: int,
    manifest_sha256: str,
    references: tuple[str, ...] = (),
    objects: tuple[tuple[str, str, int], ...] = (),
) -> PointRecord:
    return PointRecord(
        number=number,
        format=layout.FORMAT,
        lakehouse_id="l-1",
        created_at_ms=3000,
        cut_at_ms=1,
        complete=True,
        tables=1,
        bytes=1,
        copied_bytes=1,
        seconds=0.5,
        manifest_sha256=manifest_sha256,
        manifest_size=1,
        references=references,
        objects=objects,
    )
