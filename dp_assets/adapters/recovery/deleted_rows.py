"""The rows that a table's delete files delete, each file read once, several at a time."""

from collections import defaultdict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from threading import Event

from dp_assets.adapters.objects.copying import StoppedError, Workers
from dp_assets.adapters.recovery.delete_positions import deleted_positions, positions_sha256
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.ports.closure import LiveEntry, TableClosure
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import FileKind


@dataclass(frozen=True, slots=True)
class Deleted:
    """Deleted rows of one data file, as one delete file has them.

    Attributes:
        path: of the data file, as the delete file spells it; as its manifest does for a vector.
        footer_path: of a vector, as the Puffin footer spells it; else the same.
    """

    path: str
    positions_sha256: str
    footer_path: str


# By path of the delete file, and offset in it.
DeletedRows = MutableMapping[tuple[str, int], tuple[Deleted, ...]]


@dataclass(slots=True)
class _Job:
    """One delete file; ``referenced`` has the data file of each of its vectors."""

    path: str
    file_format: str
    referenced: dict[Place, str] = field(default_factory=dict[Place, str])


def read_deleted(
    closure: TableClosure, files: LakeFiles, *, known: DeletedRows, workers: int
) -> None:
    """Add to ``known`` what the position deletes and vectors of the closure delete.

    Raises:
        MissingObjectError: a delete file is gone.
        PermanentError: one is damaged.
    """
    jobs: dict[str, _Job] = {}
    for entry in (entry for manifest in closure.manifests.values() for entry in manifest.entries):
        if _deletes_positions(entry) and (entry.path, entry.offset) not in known:
            job = jobs.setdefault(entry.path, _Job(entry.path, entry.format))
            if entry.kind is FileKind.DELETION_VECTORS:
                place = Place(entry.offset, entry.length, entry.records)
                job.referenced[place] = entry.referenced
    for found in Workers(_reading(files), count=min(workers, len(jobs))).run(jobs.values()):
        known.update(found)


def _deletes_positions(entry: LiveEntry) -> bool:
    return entry.kind in (FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS)


def _reading(files: LakeFiles) -> Callable[[_Job, Event], DeletedRows]:
    def read(job: _Job, stop: Event) -> DeletedRows:
        if stop.is_set():
            raise StoppedError
        return _vectors(files, job) if job.referenced else _positions(files, job)

    return read


def _positions(files: LakeFiles, job: _Job) -> DeletedRows:
    found = deleted_positions(files, job.path, file_format=job.file_format)
    rows = tuple(Deleted(path, positions_sha256(rows), path) for path, rows in found.items())
    return {(job.path, 0): rows}


def _vectors(files: LakeFiles, job: _Job) -> DeletedRows:
    found: defaultdict[tuple[str, int], tuple[Deleted, ...]] = defaultdict(tuple)
    for place, vector in read_vectors(files, job.path, places=job.referenced).items():
        sha256 = positions_sha256(vector.positions)
        found[job.path, place.offset] += (
            Deleted(job.referenced[place], sha256, vector.footer_path),
        )
    return found
