"""Candidates for compaction put together, and what a plan says of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from dp_assets.core.units import format_bytes
from dp_assets.domains.maintenance.deletes import Applying
from dp_assets.ports.compaction import DeleteFile, Group, InputFile
from dp_assets.ports.live_files import LiveFile

SPACE_SHARE = 1.1  # of what a group is expected to need: another encoding may compress worse


@dataclass(frozen=True, slots=True)
class Candidate:
    """A data file to rewrite.

    Attributes:
        deleted: an estimate of its rows that are.
        keys: of equality deletes, so many to a file as it has of the rows they are compared with.
    """

    file: LiveFile
    deletes: Applying
    deleted: float
    keys: float = 0.0


def packed(
    candidates: Iterable[Candidate], *, most_bytes: int, most_files: int
) -> Iterator[list[Candidate]]:
    """In their order, as many together as are allowed."""
    group: list[Candidate] = []
    size = 0
    for one in candidates:
        if group and (len(group) == most_files or size + one.file.entry.size > most_bytes):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.file.entry.size
    if group:
        yield group


def group_of(members: Sequence[Candidate], target: int, *, reason: str, words: str) -> Group:
    """The group of candidates of one partition, with every delete that may apply once."""
    first = members[0].file
    named = (delete for one in members for delete in one.deletes.named)
    # All are of one partition, so what applies to the oldest is all that applies to any.
    oldest = min(members, key=lambda one: one.file.sequence_number)
    deletes: Mapping[tuple[str, int], LiveFile] = {
        (delete.entry.path, delete.entry.offset): delete
        for delete in chain(named, oldest.deletes.equal)
    }
    return Group(
        spec_id=first.spec_id,
        partition=first.entry.partition,
        inputs=tuple(_input(one.file) for one in members),
        deletes=tuple(_delete(deletes[key]) for key in sorted(deletes)),
        target_bytes=target,
        reason=reason,
        words=words,
        deleted=round(sum(one.deleted for one in members)),
    )


def fitting(
    groups: Iterable[Group], free_bytes: int | None
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The groups for which there is room, one after the other, and what is said of the rest.

    What a group replaces is not freed by its commit: older snapshots and the trash hold it.
    """
    chosen: list[Group] = []
    left: list[str] = []
    free = free_bytes
    for group in groups:
        need = round(SPACE_SHARE * group.expected_bytes)
        if free is not None and need > free:
            left.append(
                f"{group.words or 'a group'}: needs {format_bytes(need)}, {format_bytes(free)} free"
            )
            continue
        free = None if free is None else free - need
        chosen.append(group)
    return tuple(chosen), tuple(left)


def _input(file: LiveFile) -> InputFile:
    entry = file.entry
    return InputFile(
        path=entry.path,
        size=entry.size,
        records=entry.records,
        sequence_number=file.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        first_row_id=entry.first_row_id,
        manifest_path=file.manifest_path,
    )


def _delete(file: LiveFile) -> DeleteFile:
    entry = file.entry
    return DeleteFile(
        path=entry.path,
        kind=entry.kind,
        sequence_number=file.sequence_number,
        manifest_path=file.manifest_path,
        format=entry.format,
        size=entry.size,
        records=entry.records,
        referenced=entry.referenced,
        offset=entry.offset,
        length=entry.length,
        equality_ids=entry.equality_ids,
    )
