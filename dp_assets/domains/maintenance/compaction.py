"""Compaction, planned: which data files become fewer, in which groups, the worst first.

A file is a candidate below 75 % or above 180 % of the target, or when 30 % of its rows are deleted.
Candidates of one partition are put into groups of bounded size; a group is worth its commit with
five files, with a file above 180 %, or when 30 % of its rows are deleted. The bounds are those of
Iceberg's rewrite_data_files (min-file-size-ratio, max-file-size-ratio, min-input-files,
delete-ratio-threshold). New files keep spec and partition of their inputs, so nothing is computed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dp_assets.core.units import GIB, format_bytes
from dp_assets.domains.maintenance.compaction_groups import Candidate, fitting, group_of, packed
from dp_assets.domains.maintenance.deletes import Deletes, Refusals, deleted_rows
from dp_assets.domains.maintenance.partition_words import PartitionWords
from dp_assets.domains.maintenance.refusals import (
    columns_ever,
    counted,
    delete_refusal,
    file_refusal,
    head_of,
    table_refusals,
)
from dp_assets.domains.maintenance.sizing import SMALL_SHARE, target_bytes
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.compaction import (
    CompactionPlan,
    CompactionRefusedError,
    Group,
)
from dp_assets.ports.live_files import LiveFile, live_files
from dp_assets.ports.recovery import FileKind


@dataclass(frozen=True, slots=True)
class CompactionRule:
    """What a table's policy says of compaction.

    Attributes:
        target: bytes of a data file by those of its partition.
        min_inputs: files that are worth a commit.
        small, large: shares of the target, outside of which a file is a candidate.
        delete_ratio: deleted rows over rows.
        group_bytes: of the inputs of one group; a larger file is a group by itself.
        group_files: inputs of one group. DuckDB keeps about 9 KB of each that it has read, outside
            of its memory limit; what many groups of tiny files become, a later run joins.
        older_specs: also compact files of partition specs before the current one, each within
            its own; otherwise they stay as they are.
        left_alone: partitions that are not looked at now, each with the reason.
    """

    target: Callable[[int], int] = target_bytes
    min_inputs: int = 5
    small: float = SMALL_SHARE
    large: float = 1.8
    delete_ratio: float = 0.3
    group_bytes: int = 2 * GIB
    group_files: int = 1000
    older_specs: bool = False
    left_alone: Mapping[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])


def plan_compaction(
    table: str, closure: TableClosure, *, rule: CompactionRule, free_bytes: int | None = None
) -> CompactionPlan:
    """What to rewrite of the current snapshot; no groups when it is as it should be.

    Args:
        table: its name, for the plan.
        closure: read at one pointer; the current snapshot is enough.
        rule: of the table.
        free_bytes: where its files are; the groups planned need no more. None: not limited.

    Raises:
        CompactionRefusedError: nothing of the table can be compacted exactly.
    """
    head = head_of(closure)
    refused = table_refusals(closure)
    if head is None or refused:
        raise CompactionRefusedError(
            f"compact {table}: {'; '.join(refused)}", hint=f"'dp why {table} compaction' says more"
        )
    files = _Files(closure, rule)
    groups = sorted((group for place in files.places() for group in files.groups(place)), key=_key)
    chosen, left = fitting(groups, free_bytes)
    return CompactionPlan(
        table=table,
        uuid=closure.uuid,
        pointer=closure.pointer,
        snapshot_id=head.snapshot_id,
        sequence_number=head.sequence_number,
        format_version=closure.format_version,
        schema_id=closure.schema.get("schema-id", 0),
        groups=chosen,
        left=(*files.left(), *left),
    )


class _Files:
    """The live data files of the head by spec and partition, and what applies to them."""

    def __init__(self, closure: TableClosure, rule: CompactionRule) -> None:
        head = head_of(closure)
        files = list(live_files(closure, head)) if head else []
        self._rule = rule
        self._words = PartitionWords(closure.metadata)
        self._current = closure.metadata.get("default-spec-id") or 0
        self._deletes = Deletes(files)
        self._columns = columns_ever(closure)
        self._places: defaultdict[tuple[int, str], list[LiveFile]] = defaultdict(list)
        for file in files:
            if file.entry.kind is FileKind.DATA:
                self._places[file.place].append(file)
        self._rows: dict[tuple[int, str] | None, int] = {
            place: sum(file.entry.records for file in found)
            for place, found in self._places.items()
        }
        self._rows[None] = sum(self._rows.values())
        self._unequal = Refusals(lambda delete: delete_refusal(delete, self._columns))
        self._refused: list[str] = []

    def places(self) -> Iterator[tuple[int, str]]:
        """Those to look at, in a fixed order."""
        for place in sorted(self._places):
            is_looked_at = place[0] == self._current or self._rule.older_specs
            if is_looked_at and place not in self._rule.left_alone:
                yield place

    def left(self) -> Iterator[str]:
        """What stays although it may be small, after :meth:`groups` was asked for all places."""
        yield from counted(self._refused)
        yield from self._left_alone()
        older = [p for p in self._places if p[0] != self._current and not self._rule.older_specs]
        sizes = [file.entry.size for place in older for file in self._places[place]]
        if sizes:
            specs = ", ".join(str(spec) for spec in sorted({place[0] for place in older}))
            yield (
                f"{len(sizes)} files, {format_bytes(sum(sizes))}: of older partition spec {specs}"
            )

    def _left_alone(self) -> Iterator[str]:
        for place, why in self._rule.left_alone.items():
            files = [file for group in self.groups(place) for file in group.inputs]
            if files:
                size = format_bytes(sum(file.size for file in files))
                yield f"{self._words(*place) or 'the table'}: {len(files)} files, {size}: {why}"

    def groups(self, place: tuple[int, str]) -> Iterator[Group]:
        """What is worth rewriting in one partition."""
        files, rule = self._places[place], self._rule
        target = rule.target(sum(file.entry.size for file in files))
        found = self._candidates(files, target)
        for members in packed(found, most_bytes=rule.group_bytes, most_files=rule.group_files):
            if reason := self._reason(members, target):
                yield group_of(members, target, reason=reason, words=self._words(*place))

    def _candidates(self, files: Iterable[LiveFile], target: int) -> Iterator[Candidate]:
        rule = self._rule
        for file in sorted(files, key=lambda one: (one.sequence_number, one.entry.path)):
            deletes = self._deletes.applying(file)
            deleted = sum(deleted_rows(one, file, rows_of=self._rows) for one in deletes.named)
            keys = deletes.keys(file, rows_of=self._rows)
            sized = rule.small * target <= file.entry.size <= rule.large * target
            if sized and deleted + keys < rule.delete_ratio * file.entry.records:
                continue
            refused = file_refusal(file, deletes.named, self._columns)
            if refused := refused or self._unequal.of(deletes):
                self._refused.append(refused)
                continue
            yield Candidate(file, deletes, min(deleted, file.entry.records), keys)

    def _reason(self, members: list[Candidate], target: int) -> str:
        """Why a group is worth its commit; "" when it is not."""
        rule = self._rule
        rows = sum(one.file.entry.records for one in members)
        deleted = sum(one.deleted for one in members)
        if len(members) >= rule.min_inputs:
            return f"{len(members)} files for a target of {format_bytes(target)}"
        if deleted and deleted >= rule.delete_ratio * rows:
            return f"{deleted / rows:.0%} of the rows are deleted"
        keys = sum(one.keys for one in members)
        if keys and deleted + keys >= rule.delete_ratio * rows:
            return f"equality deletes of {round(keys)} keys apply to {rows} rows"
        if any(one.file.entry.size > rule.large * target for one in members):
            return f"a file above {rule.large:.0%} of the target of {format_bytes(target)}"
        return ""


def _key(group: Group) -> tuple[int, int, int, str, str]:
    """The worst first: by the files that a reader no longer opens, then by bytes."""
    spared = len(group.inputs) + len(group.deletes) - group.outputs
    return -spared, -group.bytes, group.spec_id, group.partition, group.inputs[0].path
