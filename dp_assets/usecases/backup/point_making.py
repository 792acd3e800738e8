"""The steps of one recovery point, from its number to its commit."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dp_assets.adapters.local_files import make_folders
from dp_assets.core.errors import LakeError, OutcomeUnknownError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.index import refresh
from dp_assets.domains.backup.prune import condemned_names
from dp_assets.domains.backup.sizes import size_problems
from dp_assets.ports.leases import held_lease
from dp_assets.ports.recovery import PointManifest, PointRecord
from dp_assets.usecases.backup.cutting import Cutting
from dp_assets.usecases.backup.extras import (
    software,
    store_dagster,
    store_dump,
    store_settings,
    whole_views,
)
from dp_assets.usecases.backup.previous_lines import keep_manifest, kept_file, previous_manifest
from dp_assets.usecases.backup.row_counts import RowCounts
from dp_assets.usecases.backup.sampling import marked, sample
from dp_assets.usecases.backup.table_taking import (
    TableTaker,
    Vanished,
    immovable_tables,
    incomplete,
    relies_on,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dp_assets.domains.lake.identity import Identity
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.recovery import DumpFile, MetastoreDump, ObjectRef, PointTable
    from dp_assets.usecases.backup.backup_parts import Parts
    from dp_assets.usecases.backup.cutting import CutTables

HOLD = "hold/recovery-point/{:08d}"
LOOKS = 3  # at the condemned lists before the commit


@dataclass(frozen=True, slots=True)
class BackupOutcome:
    """A committed point.

    Attributes:
        taken_over: tables that had not changed since an earlier point.
        sampled_files: known files read again.
        restarts: how often the cut was taken again.
        size_problems: why its size is not plausible, in words; empty when it is.
        warnings: what a person should know and what makes nothing incomplete.
    """

    record: PointRecord
    manifest: PointManifest
    taken_over: int
    sampled_files: int
    restarts: int
    size_problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Extras:
    """What the point holds besides tables."""

    dump: MetastoreDump
    settings: ObjectRef
    dagster: tuple[DumpFile, ...]
    views: Mapping[str, Mapping[str, Any]]
    problems: tuple[str, ...]

    @property
    def refs(self) -> list[ObjectRef]:
        return [self.settings, *(file.ref for file in (*self.dump.files, *self.dagster))]


class PointMaking:
    """Makes one point under leases that are held and renewed by the caller.

    Args:
        owner: whose claim and hold it is.
        ttl_ms: of the hold beside the catalog.
    """

    def __init__(
        self, lake: Lakehouse, parts: Parts, *, identity: Identity, owner: str, ttl_ms: int
    ) -> None:
        self._lake = lake
        self._parts = parts
        self._identity = identity
        self._owner = owner
        self._ttl_ms = ttl_ms
        self._seen: frozenset[str] = frozenset()
        self._damaged: tuple[int, ...] = ()
        self._started_ms = now_ms()

    def run(self) -> BackupOutcome:
        """Raises LakeError when no point was made, OutcomeUnknownError when perhaps one was."""
        target, settings = self._parts.target, self._lake.settings
        self._damaged = refresh(target.points, target.repository, target.index).damaged
        self._seen = condemned_names(target.repository)
        previous = previous_manifest(
            target.points,
            target.repository,
            kept=kept_file(settings, target.repository),
            lakehouse_id=self._identity.lakehouse_id,
        )
        number = target.points.claim(self._owner, now_ms=self._started_ms)
        with ExitStack() as stack:
            self._hold(stack, number)
            counts = stack.enter_context(RowCounts(self._lake, self._parts.files))
            suspect = self._seen | target.index.damaged()
            taker = TableTaker(self._parts, counts, suspect=suspect)
            make_folders(settings.tmp_dir)
            scratch = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="dp-cut-", dir=settings.tmp_dir)
                )
            )
            cutting = Cutting(self._lake, self._parts, taker, previous=previous, scratch=scratch)
            return self._finish(number, taker, cutting.run(), previous)

    def _hold(self, stack: ExitStack, number: int) -> None:
        """Keep our own maintenance from deleting what is being copied."""
        hold = stack.enter_context(
            held_lease(
                self._lake.leases,
                HOLD.format(number),
                owner=self._owner,
                ttl_ms=self._ttl_ms,
                wait_ms=0,
            )
        )
        self._parts.heartbeat.keep(self._lake.leases, hold)
        stack.callback(self._parts.heartbeat.forget, hold)

    def _finish(
        self, number: int, taker: TableTaker, cut: CutTables, previous: PointManifest | None
    ) -> BackupOutcome:
        self._parts.progress.phase("known files")
        sampled = sample(self._parts, cut.lines, seed=number)
        lines = marked(cut.lines, sampled)
        extras = self._extras(cut)
        for _ in range(LOOKS):
            unknown = self._look_again()
            if not unknown:
                break
            lines = [self._without(taker, line, unknown) for line in lines]
            extras = self._extras(cut)
        else:
            raise TransientError(
                "objects are condemned faster than this backup can store them again",
                hint="run it again when 'dp prune' has ended",
            )
        manifest = self._manifest(number, cut, lines, extras)
        record = self._commit(manifest, extras)
        return BackupOutcome(
            record=record,
            manifest=manifest,
            taken_over=cut.taken_over,
            sampled_files=sampled.files,
            restarts=cut.restarts,
            size_problems=size_problems(previous, manifest),
            warnings=(
                *(f"point {number} is damaged, see 'dp verify'" for number in self._damaged),
                *self._parts.wanted.selection.warnings(cut.dumped.state.pointers),
                *extras.problems,
                *immovable_tables(lines),
                *sampled.unreadable,
                *self._remember(record, manifest),
            ),
        )

    def _extras(self, cut: CutTables) -> _Extras:
        self._parts.progress.phase("metastore dump, settings, Dagster's storage")
        dagster, problems = store_dagster(self._parts, self._lake.settings)
        views, unread = whole_views(self._parts, cut.dumped.state.views)
        return _Extras(
            dump=store_dump(self._parts, cut.folder, cut.dumped),
            settings=store_settings(self._parts, self._lake.settings),
            dagster=dagster,
            views=views,
            problems=(*problems, *unread),
        )

    def _look_again(self) -> frozenset[str]:
        """What was condemned since the last look and was not stored by this run."""
        target = self._parts.target
        names = condemned_names(target.repository)
        new, self._seen = names - self._seen, names
        if not new:
            return frozenset()
        target.index.set_condemned(names)
        return target.index.unknown(new)

    def _without(self, taker: TableTaker, line: PointTable, unknown: frozenset[str]) -> PointTable:
        """The table stored again where it relies on what was condemned."""
        if not relies_on(self._parts, line, unknown):
            return line
        table = TableId.parse(line.table)
        found = taker.take(table, line.pointer, skew_ms=line.skew_ms)
        if isinstance(found, Vanished):
            return incomplete(table, line.pointer, found.what, skew_ms=line.skew_ms)
        return found

    def _manifest(
        self, number: int, cut: CutTables, lines: Sequence[PointTable], extras: _Extras
    ) -> PointManifest:
        dumped, wanted = cut.dumped, self._parts.wanted
        return PointManifest(
            number=number,
            lakehouse_id=self._identity.lakehouse_id,
            origin=self._identity.origin,
            catalog_address=self._lake.place.catalog_address,
            warehouse=str(self._lake.place.warehouse),
            started_at_ms=self._started_ms,
            finished_at_ms=now_ms(),
            cut=dumped.cut,
            cut_at_ms=dumped.taken_at_ms,
            skew_ms=max([dumped.skew_ms, *(line.skew_ms for line in lines)]),
            history=wanted.history,
            include=wanted.selection.include,
            exclude=wanted.selection.exclude,
            tables=tuple(lines),
            namespaces=dumped.state.namespaces,
            views=extras.views,
            dump=extras.dump,
            settings=extras.settings,
            dagster=extras.dagster,
            software=software(),
        )

    def _commit(self, manifest: PointManifest, extras: _Extras) -> PointRecord:
        points = self._parts.target.points
        sealed = points.seal_manifest(manifest)
        contents = [line.content for line in manifest.tables if line.content]
        lists = [line.references.name for line in manifest.tables if line.references]
        objects = {(r.name, r.stored_sha256, r.stored_size) for r in (*contents, *extras.refs)}
        record = PointRecord(
            number=manifest.number,
            format=layout.FORMAT,
            lakehouse_id=manifest.lakehouse_id,
            created_at_ms=manifest.finished_at_ms,
            cut_at_ms=manifest.cut_at_ms,
            complete=not any(line.problem for line in manifest.tables),
            tables=len(manifest.tables),
            bytes=sum(line.bytes for line in manifest.tables),
            copied_bytes=sum(line.copied_bytes for line in manifest.tables),
            seconds=(manifest.finished_at_ms - manifest.started_at_ms) / 1000,
            manifest_sha256=sealed.sha256,
            manifest_size=len(sealed.stored),
            references=tuple(dict.fromkeys(lists)),
            objects=tuple(sorted(objects)),
        )
        self._parts.heartbeat.check()
        points.commit(record, sealed)
        self._require_still_ours(record.number)
        return record

    def _require_still_ours(self, number: int) -> None:
        """Between the check and the commit the process may have been stopped for long."""
        try:
            self._parts.heartbeat.check()
        except LakeError as error:
            raise OutcomeUnknownError(
                f"recovery point {number} was committed while its lease ended: {error.what}",
                hint=f"'dp verify --point {number} --full' tells whether it is whole",
            ) from error

    def _remember(self, record: PointRecord, manifest: PointManifest) -> tuple[str, ...]:
        """The point is made; what this machine remembers of it only saves time later."""
        target = self._parts.target
        try:
            refresh(target.points, target.repository, target.index, learn_files=False)
            path = kept_file(self._lake.settings, target.repository)
            keep_manifest(path, record, manifest)
        except LakeError as error:
            return (f"the next backup reads more than it must: {error.what}",)
        except OSError as error:
            return (f"the next backup reads more than it must: {error}",)
        return ()
