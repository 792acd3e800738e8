"""What a restore will do: every question that can be asked before the first byte is written."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import Workers, threads_for
from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.renaming import choose, rename
from dp_assets.domains.backup.restore_plan import (
    Refused,
    RestorePlan,
    TablePlan,
    Wanted,
    choose_point,
    home,
    require_free,
    require_named,
    uuid_of_copy,
)
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.usecases.backup.placing import Way
from dp_assets.usecases.backup.registering_restored import require_replaceable
from dp_assets.usecases.backup.relocation import Relocation
from dp_assets.usecases.backup.restore_journal import RestoreJournal
from dp_assets.usecases.backup.restore_target import beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.restore_plan import Beside
    from dp_assets.ports.recovery import (
        ObjectRef,
        PointManifest,
        PointRecord,
        PointTable,
        StoredFile,
        TableContent,
    )
    from dp_assets.usecases.backup.restore_target import Target

# Two questions per file, each a request to a bucket: latency is what counts.
ASKED_AT_ONCE = 16


def plan_restore(repository: Repository, target: Target, wanted: Wanted) -> RestorePlan:
    """The plan; nothing is written.

    Raises:
        ConfigurationError: no such point, table, or key; names that collide; or an unfinished
            restore, whose files would seem to be in the way.
        PermanentError: a table asked for by its whole name cannot be restored.
    """
    RestoreJournal(target).require_none()
    points = Points(repository)
    record = choose_point(newest_first(points), wanted)
    manifest = points.manifest(record)
    planner = _Planner(points, repository, target, wanted)
    planned, refused = planner.tables(manifest)
    require_named(refused, wanted.tables)
    return RestorePlan(
        repository_id=repository.description.repository_id,
        lakehouse_id=manifest.lakehouse_id,
        point=record.number,
        cut_at_ms=manifest.cut_at_ms,
        warehouse=target.warehouse,
        tables=planned,
        refused=refused,
        everything=wanted.is_everything,
    )


def newest_first(points: Points) -> Iterator[PointRecord]:
    """Every point whose record can be read; the damaged ones are for 'dp verify'."""
    for number in reversed(points.numbers()):
        try:
            yield points.record(number)
        except (ConfigurationError, DamagedObjectError):
            continue  # forgotten since it was listed, or damaged


class _Planner:
    def __init__(
        self, points: Points, repository: Repository, target: Target, wanted: Wanted
    ) -> None:
        self._points = points
        self._repository = repository
        self._target = target
        self._wanted = wanted
        self._way = way_into(repository, target)

    def tables(self, manifest: PointManifest) -> tuple[tuple[TablePlan, ...], tuple[Refused, ...]]:
        """Every table that was asked for is in one of the two."""
        there = beside(self._target)
        lines = {TableId.parse(line.table): line for line in manifest.tables}
        names = rename(choose(lines, self._wanted.tables), self._wanted.renames)
        planned: list[TablePlan] = []
        refused: list[Refused] = []
        for source, target in names.items():
            try:
                planned.append(self._table(lines[source], target, there))
            except ConfigurationError:
                raise
            except PermanentError as error:
                refused.append(Refused(str(source), error.what))
        require_apart(planned)
        return tuple(planned), tuple(refused)

    def _table(self, line: PointTable, target: TableId, there: Beside) -> TablePlan:
        """Raises PermanentError when the table cannot be restored."""
        content = self._points.content(line)
        if line.content is None:
            raise AssertionError
        replaces = require_free(target, there, replace=self._wanted.replace)
        if replaces:
            require_replaceable(self._target.settings, f"replace {target}")
        new_id = str(uuid.uuid4())
        location = home(self._target.warehouse, target, suffix=new_id[:8] if replaces else "")
        moving = Relocation(self._way, content, location=location)
        moving.check()
        self._check_files(content, moving)
        return TablePlan(
            source=TableId.parse(line.table),
            target=target,
            uuid=uuid_of_copy(
                content.uuid, there, replaced=target if replaces else None, new_id=new_id
            ),
            source_uuid=content.uuid,
            location=location,
            pointer=moving.pointer,
            content=line.content,
            files=len(content.files),
            bytes=sum(stored.ref.size for stored in content.files),
            rows=line.rows,
            snapshots=line.snapshots,
            replaces=replaces,
        )

    def _check_files(self, content: TableContent, moving: Relocation) -> None:
        def check(stored: StoredFile, stop: Event) -> None:
            del stop
            require_object(self._repository, stored.ref, about=stored.file.path)
            location = moving.to(stored.file.path)
            if self._way.files.stat(location):
                raise PermanentError(
                    f"there is a file already at {location}", hint="nothing is overwritten"
                )

        places = (self._repository.store.address, moving.pointer)
        count = threads_for([0] * len(content.files), places, most=ASKED_AT_ONCE)
        Workers(check, count=count).run(content.files)


def way_into(repository: Repository, target: Target) -> Way:
    """How files get into ``target``; options are set with ``dataclasses.replace``."""
    return Way(
        repository=repository,
        files=CatalogFiles(
            target.settings.catalog.plain_properties(), tmp_dir=target.settings.tmp_dir
        ),
        tmp_dir=target.settings.tmp_dir,
        workers=target.settings.backup.workers,
    )


def require_object(repository: Repository, ref: ObjectRef, *, about: str) -> None:
    """Raises DamagedObjectError when an object is not there, or of another size."""
    found = repository.store.size(layout.object_key(ref.name))
    if found != ref.stored_size:
        is_there = "is gone" if found is None else f"has {found} bytes"
        raise DamagedObjectError(
            f"{about} needs object {ref.name}, which {is_there}", hint="'dp verify' says more"
        )


def require_apart(planned: list[TablePlan]) -> None:
    """Raises ConfigurationError when two tables would share a folder."""
    counts = Counter(table.location for table in planned)
    for table in planned:
        if counts[table.location] > 1:
            raise ConfigurationError(
                f"{table.target} would share {table.location} with another table",
                hint="--rename gives it another name",
            )
