"""Keeping the index in step with the repository, and deciding what of it to believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.domains.backup.prune import condemned_names
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.ports.repository_index import FileKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import ObjectRef, PointTable, TableContent
    from dp_assets.ports.repository_index import KnownFile, RepositoryIndex


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh took over.

    Attributes:
        points: new ones read.
        forgotten: points that are no more.
        files: source files learnt from the points' private parts.
        files_unread: points whose files could not be learnt, because there is no private key.
        damaged: points that cannot be read; 'dp verify' says more.
    """

    points: int
    forgotten: int
    files: int
    files_unread: int
    damaged: tuple[int, ...] = ()


class KnownFiles:
    """Which source files need not be read again."""

    def __init__(self, repository: Repository, index: RepositoryIndex) -> None:
        self._repository = repository
        self._index = index

    def find(self, keys: Sequence[FileKey]) -> dict[FileKey, KnownFile]:
        """Those of ``keys`` that the index knows, some of them pending."""
        return self._index.files(keys)

    def trusted(self, row: KnownFile) -> ObjectRef | None:
        """The object to rely on; None when the source must be read after all.

        What an unfinished run stored is read back from the repository first.
        """
        if not row.pending:
            return row.ref
        if not self._repository.is_as_stored(row.ref):
            return None
        self._index.added(row.ref.name, row.ref.stored_sha256, row.ref.stored_size)
        return row.ref


def refresh(
    points: Points,
    repository: Repository,
    index: RepositoryIndex,
    *,
    learn_files: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> Refreshed:
    """Bring ``index`` in step with the points and the condemned lists.

    Costs one reading of what is new. Without this an index must not be used for writing: what it
    takes for unknown is stored again, and sealing the same content twice gives different bytes.

    Args:
        points: of ``repository``.
        repository: with a private key when it is encrypted and files are to be learnt.
        index: of that repository.
        learn_files: also learn which source files new points hold; False right after a commit of
            one's own, whose files the index has already.
        progress: called with 1 for each new point.

    A damaged point is left out and named: it must not keep new ones from being made.
    """
    there = points.numbers()
    if _numbers_given_again(points, index, there):
        index.clear()
    gone = index.points().keys() - set(there)
    if gone:
        index.forget_points(gone)
    readable = learn_files and repository.sealing.can_open
    known = index.points()
    new = [number for number in there if number not in known]
    files, damaged = 0, list[int]()
    for number in new:
        try:
            files += _take_over(points, number, index, readable=readable)
        except DamagedObjectError:
            damaged.append(number)  # its objects count as unknown: they are stored again
        progress(1)
    index.set_condemned(condemned_names(repository))
    unread = len(new) if learn_files and not readable else 0
    return Refreshed(len(new), len(gone), files, unread, tuple(damaged))


def _numbers_given_again(points: Points, index: RepositoryIndex, there: Iterable[int]) -> bool:
    """Whether the repository came back from an older replica, and made other points since."""
    known = index.points()
    common = known.keys() & set(there)
    if not common:
        return False
    try:
        record = points.find(max(common))
    except DamagedObjectError:
        return False
    return record is not None and record.manifest_sha256 != known[max(common)]


def _take_over(points: Points, number: int, index: RepositoryIndex, *, readable: bool) -> int:
    """Learn one point; the number of its files. One that was forgotten meanwhile is none."""
    record = points.find(number)
    if record is None:
        return 0
    lists = list(record.references)
    for name in index.missing_lists(lists):
        index.add_list(name, points.references(name).objects)
    files = 0
    if readable:
        tables = [t for t in points.manifest(record).tables if t.content is not None]
        files = sum(_learn(points, table, index) for table in tables)
        lists += [_learnt(table) for table in tables]
    index.add_point(number, mark=record.manifest_sha256, lists=lists, objects=record.objects)
    return files


def _learn(points: Points, table: PointTable, index: RepositoryIndex) -> int:
    """Take over the files of a table, unless an earlier point had the same ones."""
    if not index.missing_lists([_learnt(table)]):
        return 0
    rows = tuple(_rows(points.content(table)))
    index.add_files(rows)
    index.add_list(_learnt(table), ())
    return len(rows)


def _learnt(table: PointTable) -> str:
    """The name of an empty list: that the files of one content were taken over."""
    return f"files of {table.content.name if table.content else ''}"


def _rows(content: TableContent) -> Iterator[tuple[FileKey, ObjectRef]]:
    for stored in content.files:
        key = FileKey(content.uuid, stored.file.path, stored.ref.size, stored.version)
        yield key, stored.ref
