"""Live rows of data files in a snapshot: what manifests say, less what is known to be deleted."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pyroaring import BitMap64

from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import KeptSnapshot, TableClosure, one_spelling
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.live_files import LiveFile, live_files, may_apply
from dp_assets.ports.recovery import FileKind


@dataclass(frozen=True, slots=True)
class Rows:
    """A number of rows; where not ``exact``, there are at most so many."""

    count: int
    exact: bool = True

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(self.count + other.count, self.exact and other.exact)


def live_rows(
    closure: TableClosure,
    files: LakeFiles,
    snapshot: KeptSnapshot,
    *,
    only: Collection[str] | None = None,
) -> dict[str, Rows]:
    """Rows of every data file of a snapshot, by ``one_spelling`` of its path.

    Args:
        closure: the table.
        files: where its delete files are read from; one that cannot be read makes what it may
            apply to inexact, and so do equality deletes.
        snapshot: one of the closure's.
        only: leave out all other data files.
    """
    scoped = list(live_files(closure, snapshot))
    data = {
        one_spelling(s.entry.path): s
        for s in scoped
        if s.entry.kind is FileKind.DATA and (only is None or one_spelling(s.entry.path) in only)
    }
    deletes = [
        s
        for s in scoped
        if s.entry.kind is not FileKind.DATA and any(may_apply(s, one) for one in data.values())
    ]
    found = _Deleted(files, data)
    found.add(deletes)
    return {
        path: Rows(s.entry.records - len(found.positions[path]), path not in found.inexact)
        for path, s in data.items()
    }


@dataclass(slots=True)
class _Deleted:
    """Deleted positions by data file; ``inexact`` are files of which more may be deleted."""

    files: LakeFiles
    data: Mapping[str, LiveFile]
    positions: defaultdict[str, BitMap64] = field(
        default_factory=lambda: defaultdict[str, BitMap64](BitMap64)
    )
    inexact: set[str] = field(default_factory=set[str])

    def add(self, deletes: Collection[LiveFile]) -> None:
        vectors: defaultdict[str, list[LiveFile]] = defaultdict(list)
        for delete in deletes:
            if delete.entry.kind is FileKind.EQUALITY_DELETES:
                self._unknown(delete)
            elif delete.entry.kind is FileKind.DELETION_VECTORS:
                vectors[delete.entry.path].append(delete)
            else:
                self._add_positions(delete)
        for path, ones in vectors.items():
            self._add_vectors(path, ones)

    def _add_positions(self, delete: LiveFile) -> None:
        path, file_format = delete.entry.path, delete.entry.format
        try:
            found = deleted_positions(self.files, path, file_format=file_format)
        except PermanentError:
            self._unknown(delete)
            return
        for named, positions in found.items():
            self._delete(delete, named, positions)

    def _add_vectors(self, path: str, deletes: Collection[LiveFile]) -> None:
        places = {Place(d.entry.offset, d.entry.length, d.entry.records): d for d in deletes}
        try:
            found = read_vectors(self.files, path, places=places)
        except PermanentError:
            for delete in deletes:
                self._unknown(delete)
            return
        for place, vector in found.items():
            delete = places[place]
            self._delete(delete, delete.entry.referenced, vector.positions)

    def _delete(self, delete: LiveFile, named: str, positions: BitMap64) -> None:
        data = self.data.get(one_spelling(named))
        # Engines compare these paths as strings.
        if data is not None and data.entry.path == named and may_apply(delete, data):
            self.positions[one_spelling(named)] |= positions

    def _unknown(self, delete: LiveFile) -> None:
        self.inexact |= {path for path, data in self.data.items() if may_apply(delete, data)}
