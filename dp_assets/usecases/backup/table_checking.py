"""Every file of one table against what the format records of it, and against its copies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import StoppedError, Workers, threads_for
from dp_assets.adapters.recovery.data_file_check import read_content
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.live_rows import Rows
from dp_assets.adapters.recovery.puffin_vectors import Place
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.lake.fsck import Finding, Problem, hint_for, refs_at
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, History, ReachableFile
from dp_assets.usecases.backup.row_losses import row_losses

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from threading import Event

    from dp_assets.adapters.recovery.data_file_check import Content
    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.usecases.backup.stored_copies import Copies, StoredCopies

NO_POINTER = "the catalog names no metadata file"


@dataclass(frozen=True, slots=True)
class Looking:
    """How tables are looked at.

    Attributes:
        workers: files at once.
        deep: read every file, not only its size.
        copies: what a deep look compares with; None without a repository.
    """

    files: LakeFiles
    workers: int
    deep: bool = False
    copies: StoredCopies | None = None
    progress: BackupProgress = field(default_factory=NobodyWatches)


@dataclass(frozen=True, slots=True)
class Checked:
    """One table; ``closure`` is None when its metadata cannot be read."""

    table: TableId
    pointer: str
    closure: TableClosure | None
    findings: tuple[Finding, ...]
    copies: Copies
    bytes: int = 0
    compared: int = 0


@dataclass(frozen=True, slots=True)
class _Fault:
    problem: Problem
    what: str


@dataclass(frozen=True, slots=True)
class _Looked:
    fault: _Fault | None
    size: int = 0
    compared: bool = False


class TableCheck:
    """Checks one table, as often as it is asked; a file that was looked at is not read again."""

    def __init__(self, looking: Looking, table: TableId) -> None:
        self._looking = looking
        self._table = table
        self._known: dict[ReachableFile, _Looked] = {}

    def run(
        self, pointer: str, *, files: LakeFiles | None = None, skip: Collection[str] = ()
    ) -> Checked:
        """What is wrong with the table whose metadata file is at ``pointer``; never raises for it.

        Args:
            pointer: as the catalog spells it.
            files: other than those of the lake.
            skip: files not to look at, by ``one_spelling``.
        """
        files = files or self._looking.files
        try:
            closure = self._closure(files, pointer)
            if isinstance(closure, _Fault):
                return self._unread(pointer, closure)
            return self._files(closure, files, skip)
        except TransientError as error:
            return self._unread(pointer, _Fault(Problem.UNCHECKED, error.what))

    def _closure(self, files: LakeFiles, pointer: str) -> TableClosure | _Fault:
        if not pointer:
            return _Fault(Problem.UNREADABLE, NO_POINTER)
        try:
            return read_closure(files, pointer, history=History.ALL, tolerant=True)
        except PermanentError as error:
            return _why_unread(files, pointer, error.what)

    def _unread(self, pointer: str, fault: _Fault) -> Checked:
        kind = FileKind.METADATA
        hint = hint_for(self._table, kind, breaks_head=True, breaks_refs=True)
        if fault.problem is Problem.UNCHECKED:
            hint = "check access and network; nothing says that anything is damaged"
        finding = Finding(
            str(self._table), fault.problem, pointer, kind, fault.what, rows=None, hint=hint
        )
        return Checked(self._table, pointer, None, (finding,), {})

    def _files(self, closure: TableClosure, files: LakeFiles, skip: Collection[str]) -> Checked:
        copies = self._copies(closure)
        broken = {
            one_spelling(b.path): _Looked(_why_unread(files, b.path, b.problem))
            for b in closure.broken
        }
        wanted = [f for f in closure.files if one_spelling(f.path) not in skip]
        jobs = [f for f in wanted if one_spelling(f.path) not in broken and f not in self._known]
        self._looking.progress.phase(str(self._table))
        sizes = [f.size or 0 for f in jobs]
        self._looking.progress.expect(sum(sizes))
        look = _Look(self._looking, files, copies, _places(closure))
        count = threads_for(sizes, [f.path for f in jobs], most=self._looking.workers)
        looked = Workers(look, count=count).run(jobs)
        self._known.update(zip(jobs, looked, strict=True))
        results = {f: broken.get(one_spelling(f.path)) or self._known[f] for f in wanted}
        damaged = {f: r.fault for f, r in results.items() if r.fault}
        return Checked(
            table=self._table,
            pointer=closure.pointer,
            closure=closure,
            findings=self._findings(closure, files, damaged),
            copies=copies,
            bytes=sum(r.size for r in results.values()),
            compared=sum(r.compared for r in results.values()),
        )

    def _copies(self, closure: TableClosure) -> Copies:
        if self._looking.copies is None or not self._looking.deep:
            return {}
        return self._looking.copies.of(closure.uuid, self._table)

    def _findings(
        self, closure: TableClosure, files: LakeFiles, damaged: Mapping[ReachableFile, _Fault]
    ) -> tuple[Finding, ...]:
        losses = row_losses(closure, files, damaged)
        return tuple(
            self._finding(closure, file, fault, losses.get(one_spelling(file.path), Rows(0)))
            for file, fault in damaged.items()
        )

    def _finding(
        self, closure: TableClosure, file: ReachableFile, fault: _Fault, loss: Rows | None
    ) -> Finding:
        snapshots = closure.snapshots_of(file.path)
        refs = refs_at(closure, snapshots)
        return Finding(
            table=str(self._table),
            problem=fault.problem,
            path=file.path,
            kind=file.kind,
            what=fault.what,
            snapshots=snapshots,
            refs=refs,
            rows=loss.count if loss else None,
            rows_exact=loss is None or loss.exact,
            hint=hint_for(
                self._table,
                file.kind,
                breaks_head=closure.head in snapshots,
                breaks_refs=bool(refs),
            ),
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks at one file; called by many threads."""

    looking: Looking
    files: LakeFiles
    copies: Copies
    places: Mapping[str, set[Place]]

    def __call__(self, file: ReachableFile, stop: Event) -> _Looked:
        if stop.is_set():
            raise StoppedError
        try:
            return self._look(file, stop)
        except MissingObjectError:
            return _Looked(_gone())
        except PermanentError as error:
            return _Looked(_Fault(Problem.UNCHECKED, error.what))

    def _look(self, file: ReachableFile, stop: Event) -> _Looked:
        found = self.files.stat(file.path)
        if found is None:
            return _Looked(_gone())
        if not self.looking.deep:
            self.looking.progress.advance(file.size or 0)
        if fault := _wrong_size(file, found.size):
            return _Looked(fault)
        if not self.looking.deep:
            return _Looked(None, found.size)
        content = read_content(
            self.files,
            file,
            vectors=self.places.get(file.path, ()),
            stop=stop,
            on_bytes=self.looking.progress.advance,
        )
        first = self._first_copy(file)
        fault = _wrong_content(file, content, first)
        return _Looked(fault, content.size, compared=bool(first))

    def _first_copy(self, file: ReachableFile) -> str:
        copies = self.copies.get(one_spelling(file.path), ())
        return copies[0].ref.sha256 if copies else ""


def _gone() -> _Fault:
    return _Fault(Problem.MISSING, "it is gone")


def _wrong_size(file: ReachableFile, size: int) -> _Fault | None:
    if not size:
        return _Fault(Problem.EMPTY, "it is empty")
    if file.size is not None and size != file.size:
        return _Fault(Problem.SIZE, f"it has {size} bytes, the table says {file.size}")
    return None


def _wrong_content(file: ReachableFile, content: Content, copied: str) -> _Fault | None:
    if copied and content.sha256 != copied:
        also = f"; {content.problem}" if content.problem else ""
        return _Fault(
            Problem.ALTERED,
            f"its SHA-256 is {content.sha256}, that of the copy in the repository {copied}{also}",
        )
    if content.problem:
        return _Fault(Problem.UNREADABLE, content.problem)
    if None not in (content.rows, file.records) and content.rows != file.records:
        return _Fault(Problem.ROWS, f"it has {content.rows} rows, its manifest says {file.records}")
    return None


def _why_unread(files: LakeFiles, path: str, said: str) -> _Fault:
    """What is wrong with a file of metadata that could not be read."""
    try:
        found = files.stat(path)
    except LakeError as error:
        return _Fault(Problem.UNCHECKED, error.what)
    if found is None:
        return _gone()
    return _Fault(Problem.UNREADABLE, said) if found.size else _Fault(Problem.EMPTY, "it is empty")


def _places(closure: TableClosure) -> Mapping[str, set[Place]]:
    """The deletion vectors of every file that holds some."""
    found: dict[str, set[Place]] = {}
    for manifest in closure.manifests.values():
        for e in manifest.entries:
            if e.kind is FileKind.DELETION_VECTORS:
                found.setdefault(e.path, set()).add(Place(e.offset, e.length, e.records))
    return found
