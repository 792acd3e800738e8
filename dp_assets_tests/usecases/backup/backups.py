"""Backups of a real lakehouse, and what must be true of any repository afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.reachable import Reachable
from dp_assets.lakehouse import opened
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader
from dp_assets.ports.recovery import FileKind, ObjectRef, PointTable
from dp_assets.settings import Settings
from dp_assets.usecases.backup.backing_up import back_up, wanted_by
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.point_making import BackupOutcome
from dp_assets.usecases.backup.repositories import open_for_reading, open_for_writing
from dp_assets_tests.adapters.real_lakehouse import ORDERS, make_lakehouse

NAMES = TableId("raw", "names")
NO_SAMPLE = "backup:\n  sample_files: 0\n"


def nothing(_location: str) -> None:
    """A hook that does nothing."""


@dataclass
class SeenFiles(LakeFiles):
    """Local files that remember what was opened; ``on_open`` runs before each opening."""

    on_open: Callable[[str], None] = nothing
    opened: list[str] = field(default_factory=list)
    inner: LakeFiles = field(default_factory=LocalLakeFiles)

    def stat(self, location: str) -> FileStat | None:
        return self.inner.stat(location)

    def read(self, location: str) -> bytes:
        self.on_open(location)
        self.opened.append(location)
        return self.inner.read(location)

    def open(self, location: str) -> AbstractContextManager[Reader]:
        self.on_open(location)
        self.opened.append(location)
        return self.inner.open(location)

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        raise AssertionError(f"a backup wrote {location}")

    def delete(self, location: str) -> None:
        raise AssertionError(f"a backup deleted {location}")


def lakehouse(folder: Path, *, commits: int = 2, tables: tuple[TableId, ...] = (ORDERS, NAMES)):
    """Settings of a lakehouse with two tables and an empty repository beside it."""
    settings = make_lakehouse(folder, commits=commits, tables=tables)
    init_repository(settings, keys=None, now_ms=now_ms())
    return settings


def backup(settings: Settings, *, files: LakeFiles | None = None, **changes) -> BackupOutcome:
    """A recovery point; ``changes`` are to what the settings want."""
    with opened(settings) as lake:
        wanted = replace(wanted_by(settings), **changes)
        repository = open_for_writing(settings)
        return back_up(lake, repository, wanted=wanted, run_id="test", files=files)


def root_of(settings: Settings) -> Path:
    """The folder of the repository."""
    return Path(open_for_reading(settings).store.address)


def points_of(settings: Settings) -> Points:
    return Points(open_for_reading(settings))


def append(settings: Settings, *, first: int, table: TableId = ORDERS) -> None:
    """One commit of ten rows by a writer that is not ours."""
    with opened(settings) as lake:
        rows = pa.table({"id": pa.array(range(first, first + 10), pa.int64())})
        lake.catalog.load_table(table.identifier).append(rows)


def line_of(outcome: BackupOutcome, table: TableId = ORDERS) -> PointTable:
    return next(line for line in outcome.manifest.tables if line.table == str(table))


def check_repository(settings: Settings, *, newest: int = 0) -> tuple[int, ...]:
    """Points are readable, and every object that they need is there and whole; their numbers.

    Args:
        settings: of the lakehouse.
        newest: how many points are looked at; 0: all.
    """
    points, repository = points_of(settings), open_for_reading(settings)
    for number in points.numbers()[-newest:]:
        record = points.record(number)
        for needed in Reachable(points).objects(record):
            assert repository.is_as_stored(stored(repository, needed)), (number, needed)
        manifest = points.manifest(record)
        assert record.complete is not any(line.problem for line in manifest.tables)
        for line in manifest.tables:
            if line.content:
                check_table(points, repository, line)
    return points.numbers()


def check_table(points: Points, repository, line: PointTable) -> None:
    """What the point says of a table is what its objects hold."""
    content = points.content(line)
    listed = {name for name, _, _ in points.references(line.references.name).objects}
    assert listed == {one.ref.name for one in content.files}
    assert len(content.files) == line.files
    assert sum(one.ref.size for one in content.files) == line.bytes
    for one in content.files:
        assert len(repository.read(one.ref)) == one.ref.size
        assert one.file.size in (None, one.ref.size)
    pointers = [one.file.path for one in content.files if one.file.kind is FileKind.METADATA]
    assert pointers == [content.pointer]


def stored(repository, needed) -> ObjectRef:
    """A needed object as a reference; the content's own hash is not looked at."""
    from dp_assets.domains.backup import layout

    size = needed.stored_size
    if size is None:
        size = repository.store.size(layout.object_key(needed.name))
    return ObjectRef(needed.name, "", 0, needed.stored_sha256, size or 0)


def data_files(settings: Settings, table: TableId = ORDERS) -> list[Path]:
    """The data files that the table's head reads."""
    with opened(settings) as lake:
        tasks = lake.catalog.load_table(table.identifier).scan().plan_files()
        return sorted(Path(task.file.file_path.removeprefix("file://")) for task in tasks)
