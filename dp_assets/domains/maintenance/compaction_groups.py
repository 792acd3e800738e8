"""Candidates for compaction put together, and what a plan says of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dp_assets.domains.maintenance.live_files import LiveFile
from dp_assets.ports.compaction import DeleteFile, Group, InputFile


@dataclass(frozen=True, slots=True)
class Candidate:
    """A data file to rewrite; ``deleted`` is an estimate of its rows that are."""

    file: LiveFile
    deletes: tuple[LiveFile, ...]
    deleted: float


def packed(candidates: Iterable[Candidate], limit: int) -> Iterator[list[Candidate]]:
    """In their order, up to ``limit`` bytes together."""
    group: list[Candidate] = []
    size = 0
    for one in candidates:
        if group and size + one.file.entry.size > limit:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.file.entry.size
    if group:
        yield group


def group_of(members: Sequence[Candidate], target: int, *, reason: str, words: str) -> Group:
    """The group of candidates of one partition, with every delete that may apply once."""
    first = members[0].file
    deletes: Mapping[tuple[str, int], LiveFile] = {
        (delete.entry.path, delete.entry.offset): delete
        for one in members
        for delete in one.deletes
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
