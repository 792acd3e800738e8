"""What a snapshot holds, as digests that stay the same when a table moves.

A digest is the sum, modulo 2^256, of the SHA-256 of one canonical line per fact: the order of
files and how they are spread over manifests do not matter, and two equal facts do not cancel
each other. It tells faults and mistakes, not forgeries: who can choose file contents at will can
construct a collision of a sum. Lines are JSON arrays in UTF-8:

* live data file: ``["data", sha256, data sequence number, spec id, partition, rows, first row id]``
* deleted positions of one data file, by a position delete file or a deletion vector:
  ``["positions", sha256 of the data file, sha256 of the positions, sequence number, spec id,
  partition]``, and what is wrong with it when an engine would overlook it
* equality deletes: ``["equality", sha256, sequence number, spec id, partition, field ids]``

Deletes that name no live data file of the closure under exactly its spelling have no line:
engines compare these paths as strings, so such deletes delete nothing, before a move and after.
Which data files are live depends on the snapshots kept: compare closures of the same history.

Each manifest is digested once, however many snapshots use it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dp_assets.adapters.recovery.deleted_rows import Deleted, DeletedRows, read_deleted
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import (
    KeptSnapshot,
    LiveEntry,
    ManifestUse,
    TableClosure,
    one_spelling,
)
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import FileKind, SnapshotFacts

FUNCTION = "sum-sha256-1"
ROWS_BY_MANIFESTS = "manifests"
_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Sum:
    """What some manifests add up to."""

    data: int = 0
    deletes: int = 0
    data_files: int = 0
    delete_files: int = 0
    rows: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            data=(self.data + other.data) % _MODULUS,
            deletes=(self.deletes + other.deletes) % _MODULUS,
            data_files=self.data_files + other.data_files,
            delete_files=self.delete_files + other.delete_files,
            rows=self.rows + other.rows,
        )


def snapshot_facts(
    closure: TableClosure,
    files: LakeFiles,
    sha_of: Mapping[str, str],
    *,
    known: DeletedRows | None = None,
    workers: int = 4,
) -> tuple[SnapshotFacts, ...]:
    """The facts of every kept snapshot, in the order of the metadata.

    Args:
        closure: complete.
        files: where its delete files are read from.
        sha_of: SHA-256 (hex) of data files and equality deletes, by path in any spelling.
        known: what delete files read before delete; those read now are added.
        workers: delete files read at once.

    Raises:
        MissingObjectError: a delete file is gone.
        PermanentError: one is damaged, a live file has no hash, or the closure is not complete.
    """
    if closure.broken:
        raise PermanentError(
            f"{closure.pointer}: {closure.broken[0].problem}",
            hint="facts are taken of whole tables only",
        )
    deleted: DeletedRows = {} if known is None else known
    read_deleted(closure, files, known=deleted, workers=workers)
    sha256 = {one_spelling(path): sha for path, sha in sha_of.items()}
    digesting = _Digesting(closure, deleted, sha256)
    return tuple(digesting.facts(snapshot) for snapshot in closure.snapshots)


def digest_of(lines: Iterable[list[object]]) -> int:
    """The sum of the lines' hashes."""
    return sum(_hash(line) for line in lines) % _MODULUS


def _hash(line: list[object]) -> int:
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def _named(value: int) -> str:
    return f"{FUNCTION}:{value:064x}"


@dataclass(slots=True)
class _Digesting:
    """Sums of manifests, each worked out once."""

    closure: TableClosure
    deleted: DeletedRows
    sha_of: Mapping[str, str]
    _sums: dict[ManifestUse, Sum] = field(default_factory=dict[ManifestUse, Sum])
    _data_paths: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._data_paths = frozenset(
            entry.path
            for manifest in self.closure.manifests.values()
            for entry in manifest.entries
            if entry.kind is FileKind.DATA
        )

    def facts(self, snapshot: KeptSnapshot) -> SnapshotFacts:
        total = sum((self._sum(use) for use in snapshot.manifests), start=Sum())
        exact = total.delete_files == 0
        return SnapshotFacts(
            snapshot_id=snapshot.snapshot_id,
            parent_id=snapshot.parent_id,
            sequence_number=snapshot.sequence_number,
            timestamp_ms=snapshot.timestamp_ms,
            schema_id=snapshot.schema_id,
            data_files=total.data_files,
            delete_files=total.delete_files,
            data_digest=_named(total.data),
            delete_digest=_named(total.deletes),
            rows=total.rows if exact else None,
            rows_by=ROWS_BY_MANIFESTS if exact else "",
        )

    def _sum(self, use: ManifestUse) -> Sum:
        if use not in self._sums:
            self._sums[use] = self._digested(use)
        return self._sums[use]

    def _digested(self, use: ManifestUse) -> Sum:
        entries = list(self.closure.entries(use))
        spec_id = self.closure.spec_id(use)
        data = [entry for entry in entries if entry.kind is FileKind.DATA]
        return Sum(
            data=digest_of(self._data_line(entry, spec_id) for entry in data),
            deletes=digest_of(
                line for e in entries for line in self._delete_lines(e, spec_id=spec_id)
            ),
            data_files=len(data),
            delete_files=len(entries) - len(data),
            rows=sum(entry.records for entry in data),
        )

    def _data_line(self, entry: LiveEntry, spec_id: int) -> list[object]:
        sha = self._sha(entry.path)
        scope = (entry.sequence_number, spec_id, entry.partition)
        return ["data", sha, *scope, entry.records, entry.first_row_id]

    def _delete_lines(self, entry: LiveEntry, *, spec_id: int) -> Iterator[list[object]]:
        scope = (entry.sequence_number, spec_id, entry.partition)
        if entry.kind is FileKind.EQUALITY_DELETES:
            yield ["equality", self._sha(entry.path), *scope, list(entry.equality_ids)]
        elif entry.kind is not FileKind.DATA:
            for one in self.deleted[entry.path, entry.offset]:
                if one.path in self._data_paths:
                    line = ["positions", self._sha(one.path), one.positions_sha256, *scope]
                    yield [*line, *overlooked(entry, one)]

    def _sha(self, path: str) -> str:
        sha = self.sha_of.get(one_spelling(path))
        if sha is None:
            raise PermanentError(f"{path} has no hash", hint="a live file was not read")
        return sha


def overlooked(entry: LiveEntry, deleted: Deleted) -> list[object]:
    """Why some engine would not apply these deletes; nothing when all of them do.

    Engines choose delete files by the bounds of the paths in them, by the one data file that
    the manifest says they are about, and by the footer of a Puffin file.
    """
    path = deleted.path.encode()
    below = entry.lower is not None and path < entry.lower
    above = entry.upper is not None and path > entry.upper
    reasons = (
        (below or above, "outside the bounds"),
        (entry.referenced not in ("", deleted.path), "about another file"),
        (deleted.footer_path != deleted.path, "another file in the footer"),
    )
    return [reason for wrong, reason in reasons if wrong]
