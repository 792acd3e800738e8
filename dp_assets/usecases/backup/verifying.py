"""Verification: every document, every object by size, a share of the objects by content."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import StoppableReader, StoppedError, Workers, threads_for
from dp_assets.adapters.recovery.repository_files import snapshots_hit
from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.breakage import Breakage
from dp_assets.domains.backup.points import Points, is_point
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.backup.verification import Damage, Share, Verified
from dp_assets.domains.backup.verify_documents import Documents, vanished
from dp_assets.domains.backup.verify_objects import compare, examine, examine_small, expect, needing
from dp_assets.ports.object_store import WHOLE_BYTES
from dp_assets.ports.repository_index import Checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from threading import Event

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.verification import Broken
    from dp_assets.domains.backup.verify_objects import Expected, Listed
    from dp_assets.ports.recovery import PointRecord
    from dp_assets.ports.repository_index import RepositoryIndex

REMEMBER_AT_ONCE = 500  # a killed verification forgets no more than this


@dataclass(frozen=True, slots=True)
class Verification:
    """What is asked for; ``point`` restricts it to what one point needs."""

    share: Share
    point: int | None = None
    workers: int = 4


def verify(
    repository: Repository,
    index: RepositoryIndex,
    asked: Verification,
    *,
    progress: BackupProgress | None = None,
) -> Verified:
    """Look at everything, read what is due, say what every damage breaks.

    Works without a private key; then points are named and tables are not. A lost copy of a
    document is put back from the other one; nothing else in the repository is changed.

    Raises:
        ConfigurationError: there is no such point.
        TransientError: the store does not answer.
    """
    return _Run(repository, index, asked, progress or NobodyWatches()).run()


class _Run:
    def __init__(
        self,
        repository: Repository,
        index: RepositoryIndex,
        asked: Verification,
        progress: BackupProgress,
    ) -> None:
        self._repository = repository
        self._points = Points(repository)
        self._index = index
        self._asked = asked
        self._progress = progress
        self._now_ms = asked.share.now_ms
        self._memory = _Memory(index, at_ms=self._now_ms)

    def run(self) -> Verified:
        self._progress.phase("documents")
        documents = Documents(self._repository, now_ms=self._now_ms)
        records = list(self._check_documents(documents))
        expected, wrong = expect(self._points, records)
        self._progress.phase("listing")
        listed = compare(self._repository.store.list(""), expected)
        wrong = listed.wrong | wrong
        due = {name: size for name, size in self._due(expected, listed) if name not in wrong}
        wrong |= self._read(due, expected)
        self._memory.damaged(wrong)
        damages, explained = self._explain(records, wrong)
        damages = self._still_true([*documents.damages, *damages])
        whole = self._asked.point is None
        return Verified(
            points=len(records),
            objects=len(expected),
            bytes=sum(listed.sizes.values()),
            reread=len(due),
            reread_bytes=sum(due.values()),
            superfluous=listed.superfluous if whole else 0,
            superfluous_bytes=listed.superfluous_bytes if whole else 0,
            foreign=tuple(listed.foreign),
            damages=tuple(sorted(damages, key=lambda damage: damage.key)),
            explained=explained,
        )

    def _check_documents(self, documents: Documents) -> Iterator[PointRecord]:
        files = self._points.files()
        numbers = sorted(number for number, names in files.items() if is_point(names))
        only = self._asked.point
        if only is not None:
            if only not in numbers and only not in vanished(self._repository, files):
                raise ConfigurationError(
                    f"there is no recovery point {only}", hint="see 'dp points'"
                )
            numbers = [number for number in numbers if number == only]
        documents.check_description()
        documents.check_numbers(files, full=self._asked.share.full)
        documents.check_others()
        for number in numbers:
            record = documents.check_point(number)
            if record:
                yield record

    def _due(self, expected: Expected, listed: Listed) -> Iterator[tuple[str, int]]:
        names = list(listed.sizes)
        for start in range(0, len(names), REMEMBER_AT_ONCE):
            some = names[start : start + REMEMBER_AT_ONCE]
            known = self._index.checked(some)
            for name in some:
                seen = known.get(name)
                if (seen and seen.damaged) or self._asked.share.is_due(
                    name,
                    read_ms=seen.at_ms if seen else None,
                    needed_since_ms=expected.since_ms(name),
                ):
                    yield name, listed.sizes[name]

    def _read(self, due: Mapping[str, int], expected: Expected) -> dict[str, str]:
        self._progress.phase("reading")
        self._progress.expect(sum(due.values()))

        store = self._repository.store

        def work(name: str, stop: Event) -> tuple[str, str]:
            forms = expected.forms(name)
            if due[name] > WHOLE_BYTES:
                what = examine(
                    store,
                    name,
                    forms,
                    lambda reader: StoppableReader(reader, stop, self._progress.advance),
                )
            elif stop.is_set():
                raise StoppedError
            else:
                what = examine_small(store, name, forms)
                self._progress.advance(due[name])
            if not what:
                self._memory.right(name)
            return name, what

        try:
            places = (self._repository.store.address,)
            # Even small ones: the system opens and reads one while Python is with the other.
            count = max(2, threads_for(due.values(), places, most=self._asked.workers))
            found = Workers(work, count=count).run(due)
        finally:
            self._memory.write()
        return {name: what for name, what in found if what}

    def _explain(
        self, records: list[PointRecord], wrong: Mapping[str, str]
    ) -> tuple[list[Damage], bool]:
        names, explained = frozenset(wrong), self._repository.sealing.can_open
        if not names:
            return [], True
        self._progress.phase("what it breaks")
        hit = needing(self._points, records, names)
        breaks: dict[str, tuple[Broken, ...]] = {}
        breakage = Breakage(
            self._points, lambda content, lost: snapshots_hit(content, self._repository, lost)
        )
        touched = {number for numbers in hit.values() for number in numbers}
        try:
            for record in records if explained else []:
                # A list that is lost hides what it named: all tables of that point are looked at.
                if record.number in touched:
                    for name, broken in breakage.of(record, names).items():
                        breaks[name] = (*breaks.get(name, ()), *broken)
        except ConfigurationError:
            explained = False  # no key that fits
        return [
            Damage(
                layout.object_key(name),
                wrong.get(name, "it cannot be read"),
                _points(hit.get(name, ()), breaks.get(name)),
                breaks.get(name, ()),
            )
            for name in {**wrong, **breaks}
        ], explained

    def _still_true(self, damages: list[Damage]) -> list[Damage]:
        """Without what only points need that were forgotten while this ran."""
        concerned = {number for damage in damages for number in damage.points}
        gone = {number for number in concerned if self._points.is_forgotten(number)}
        return [d for d in damages if not d.points or not gone.issuperset(d.points)]


class _Memory:
    """Writes down what was read, some at a time."""

    def __init__(self, index: RepositoryIndex, *, at_ms: int) -> None:
        self._index = index
        self._at_ms = at_ms
        self._lock = Lock()
        self._waiting: list[str] = []

    def right(self, name: str) -> None:
        with self._lock:
            self._waiting.append(name)
            if len(self._waiting) >= REMEMBER_AT_ONCE:
                self._write()

    def write(self) -> None:
        with self._lock:
            self._write()

    def damaged(self, names: Mapping[str, str]) -> None:
        """The next backup stores these again when it needs them."""
        if names:
            self._index.set_checked(dict.fromkeys(names, Checked(self._at_ms, damaged=True)))

    def _write(self) -> None:
        seen = Checked(self._at_ms, damaged=False)
        self._index.set_checked(dict.fromkeys(self._waiting, seen))
        self._waiting.clear()


def _points(listed: tuple[int, ...], breaks: tuple[Broken, ...] | None) -> tuple[int, ...]:
    """Also the points that only the private part knows about: their list is lost."""
    return tuple(sorted({*listed, *(one.point for one in breaks or ())}))
