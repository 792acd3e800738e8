"""Verification: every document, every object by size, a share of the objects by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.repository_files import snapshots_hit
from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.breakage import Breakage
from dp_assets.domains.backup.points import Points, is_point
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.domains.backup.verification import Damage, Share, Verified
from dp_assets.domains.backup.verify_documents import Documents, vanished
from dp_assets.domains.backup.verify_objects import compare, expect, needing
from dp_assets.usecases.backup.rereading import Memory, Rereading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.verification import Broken
    from dp_assets.ports.recovery import PointRecord
    from dp_assets.ports.repository_index import RepositoryIndex


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
        self._asked = asked
        self._progress = progress
        self._memory = Memory(index, at_ms=asked.share.now_ms)
        self._rereading = Rereading(
            repository.store,
            index,
            asked.share,
            memory=self._memory,
            workers=asked.workers,
            progress=progress,
        )

    def run(self) -> Verified:
        self._progress.phase("documents")
        documents = Documents(self._repository, now_ms=self._asked.share.now_ms)
        records = list(self._check_documents(documents))
        expected, wrong = expect(self._points, records)
        self._progress.phase("listing")
        listed = compare(self._repository.store.list(""), expected)
        wrong = listed.wrong | wrong
        asked = self._rereading.due(expected, listed)
        due = {name: size for name, size in asked if name not in wrong}
        wrong |= self._rereading.read(due, expected)
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


def _points(listed: tuple[int, ...], breaks: tuple[Broken, ...] | None) -> tuple[int, ...]:
    """Also the points that only the private part knows about: their list is lost."""
    return tuple(sorted({*listed, *(one.point for one in breaks or ())}))
