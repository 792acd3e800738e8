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

    from dp_assets.ports.recovery import ObjectRef, PointTable
    from dp_assets.usecases.backup.backup_parts import Parts

Known = tuple[str, FileKey, str]  # table, file, the SHA-256 that it had


# A sample of large files would be all of the lake: ten of 128 MB took longer than the backup.
SAMPLE_BYTES = 64 * MIB


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
        for key, ref in pick.sample(known, k=min(times, len(known))):
            yield line.table, key, ref.sha256


def _affordable(known: list[Known], pick: random.Random) -> list[Known]:
    """As many of them, by chance, as fit into the budget of one run; at least one."""
    pick.shuffle(known)
    kept: list[Known] = []
    for one in known:
        if kept and sum(key.size for _, key, _ in kept) + one[1].size > SAMPLE_BYTES:
            break
        kept.append(one)
    return kept


def _known_files(parts: Parts, line: PointTable) -> Iterator[tuple[FileKey, ObjectRef]]:
    """The files of a table with what they were; without a private key, from its own metadata."""
    if parts.target.repository.sealing.can_open:
        try:
            content = parts.target.points.content(line)
        except LakeError:
            return  # 'dp verify' is about the repository; this is about the source
        for stored in content.files:
            yield FileKey(line.uuid, stored.file.path, stored.ref.size, stored.version), stored.ref
        return
    try:
        closure = read_closure(parts.files, line.pointer, history=parts.wanted.history)
    except LakeError:
        return
    stats = [(file.path, parts.files.stat(file.path)) for file in closure.files]
    keys = [FileKey(line.uuid, path, stat.size, stat.version) for path, stat in stats if stat]
    for key, known in parts.target.index.files(keys).items():
        yield key, known.ref
