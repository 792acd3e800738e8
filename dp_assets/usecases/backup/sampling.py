"""Known files read again, to be sure that "the same size and time" still means "the same bytes"."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import Workers
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import LakeError
from dp_assets.core.units import MIB
from dp_assets.ports.repository_index import FileKey
from dp_assets.usecases.backup.backup_parts import SourceError, VanishedError
from dp_assets.usecases.backup.source_files import SourceFiles, differs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event

    from dp_assets.ports.recovery import PointTable
    from dp_assets.usecases.backup.backup_parts import Parts

Known = tuple[str, FileKey, str]  # table, file, the SHA-256 that it had


# A sample of large files would be all of the lake: ten of 128 MB took longer than the backup.
SAMPLE_BYTES = 32 * MIB


@dataclass(frozen=True, slots=True)
class _Path:
    path: str


@dataclass(frozen=True, slots=True)
class _Bytes:
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _File:
    file: _Path
    version: str
    ref: _Bytes


@dataclass(frozen=True, slots=True)
class _Content:
    """What is needed here of a ``TableContent``; all of one of 20,000 files takes twice as long."""

    files: tuple[_File, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What reading again showed.

    Attributes:
        files: how many were read.
        seed: of the choice; the same seed over the same point chooses the same files.
        differing: table -> what differs, in words.
        unreadable: files that could not be read, in words; the repository has them.
    """

    files: int
    seed: int
    differing: dict[str, str]
    unreadable: tuple[str, ...]


def sample(parts: Parts, lines: Sequence[PointTable], *, seed: int) -> Sampled:
    """Read some files again that this run took over without reading.

    Args:
        parts: of the backup.
        lines: of the point being made.
        seed: the number of the point, so that it is on record.
    """
    pick = random.Random(seed)  # noqa: S311 - no secret
    wanted = _affordable(list(_choose(parts, lines, pick)), pick)
    parts.progress.expect(sum(key.size for _, key, _ in wanted))
    sources = SourceFiles(parts)

    def one(known: Known, stop: Event) -> tuple[str, str]:
        _, key, sha256 = known
        try:
            found = sources.read_again(key, parts.progress.advance, stop)
        except VanishedError as error:
            return "", f"{error}; 'dp fsck' says what it breaks"
        except SourceError as error:
            return "", error.error.what
        return ("", "") if found == sha256 else (differs(key, found, sha256), "")

    results = Workers(one, count=min(parts.wanted.workers, len(wanted))).run(wanted)
    return Sampled(
        files=len(results),
        seed=seed,
        differing={w[0]: r[0] for w, r in zip(wanted, results, strict=True) if r[0]},
        unreadable=tuple(f"{w[0]}: {r[1]}" for w, r in zip(wanted, results, strict=True) if r[1]),
    )


def marked(lines: Sequence[PointTable], sampled: Sampled) -> list[PointTable]:
    """The lines, those that differ with their problem; what the repository has of them stays."""
    return [
        replace(line, problem=sampled.differing.get(line.table, line.problem)) for line in lines
    ]


def _choose(parts: Parts, lines: Sequence[PointTable], pick: random.Random) -> Iterator[Known]:
    """At most ``sample_files`` files, each as likely as any other; those copied just now less."""
    wanted = [line for line in lines if not line.problem and line.files > line.copied_files]
    sizes = [line.files - line.copied_files for line in wanted]
    count = min(parts.wanted.sample_files, sum(sizes))
    ends = list(accumulate(sizes))
    drawn = pick.sample(range(sum(sizes)), k=count)
    chosen = Counter(bisect_right(ends, position) for position in drawn)
    for number, times in sorted(chosen.items()):
        line = wanted[number]
        known = list(_known_files(parts, line))
        for key, sha256 in pick.sample(known, k=min(times, len(known))):
            yield line.table, key, sha256


def _affordable(known: list[Known], pick: random.Random) -> list[Known]:
    """What of them fits into the bytes of one run, by chance; at least one.

    A file that does not fit has its turn in so many runs that its share of each does: a table of
    large files alone is read again as thoroughly as others, and a run costs the same on average.
    """
    pick.shuffle(known)
    kept: list[Known] = []
    left, had_its_turn = SAMPLE_BYTES, False
    for one in known:
        size = one[1].size
        if size <= left:
            kept.append(one)
            left -= size
        elif not had_its_turn:
            had_its_turn = True
            if pick.random() * size < SAMPLE_BYTES:
                kept.append(one)
    return kept or sorted(known, key=lambda one: one[1].size)[:1]


def _known_files(parts: Parts, line: PointTable) -> Iterator[tuple[FileKey, str]]:
    """The files of a table with what they were; without a private key, from its own metadata."""
    if parts.target.repository.sealing.can_open and line.content:
        try:
            content = parts.target.repository.read_document(_Content, line.content)
        except LakeError:
            return  # 'dp verify' is about the repository; this is about the source
        for one in content.files:
            yield FileKey(line.uuid, one.file.path, one.ref.size, one.version), one.ref.sha256
        return
    try:
        closure = read_closure(parts.files, line.pointer, history=parts.wanted.history)
    except LakeError:
        return
    stats = [(file.path, parts.files.stat(file.path)) for file in closure.files]
    keys = [FileKey(line.uuid, path, stat.size, stat.version) for path, stat in stats if stat]
    for key, known in parts.target.index.files(keys).items():
        yield key, known.ref.sha256
