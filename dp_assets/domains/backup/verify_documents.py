"""The documents that have a key of their own: read, compared with their copies, mended from them.

Where a document exists twice, one lost copy is put back from the other at once. A claim, a
tombstone and a pin say most by being there: a damaged one is written anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, unchecked
from dp_assets.domains.backup.opening import Description
from dp_assets.domains.backup.pins import Pin
from dp_assets.domains.backup.points import Claim, Tombstone, is_point
from dp_assets.domains.backup.prune import read_condemned
from dp_assets.domains.backup.recipients import Recipients
from dp_assets.domains.backup.verification import GONE, Broken, Damage
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.recovery import PointRecord, ProofRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.domains.backup.repository import Repository

Problem = tuple[str, str]  # key, what is wrong
MENDED = "was put back from the other copy"
NOT_KNOWN = "unknown: the first one was damaged"


@dataclass(frozen=True, slots=True)
class _Read:
    content: bytes | None
    problem: str = ""


class Documents:
    """One look at the documents of a repository; ``damages`` is what it found."""

    def __init__(self, repository: Repository, *, now_ms: int) -> None:
        self._repository = repository
        self._store = repository.store
        self._now_ms = now_ms
        self.damages: list[Damage] = []

    def check_description(self) -> None:
        """Both copies of what the repository says of itself."""

        def check(content: bytes, about: str) -> None:
            unchecked(
                Description,
                content,
                about=about,
                is_right=lambda d: d == self._repository.description,
            )

        keys = (layout.DESCRIPTION, layout.DESCRIPTION_COPY)
        self._check_pair(keys, check, lost=())

    def check_point(self, number: int) -> PointRecord | None:
        """Both copies of the record and of the manifest; None when no record is left."""
        keys = tuple(layout.point_key(number, n) for n in (layout.RECORD, layout.RECORD_COPY))
        everything = (Broken(number, "", "the whole point"),)
        content = self._check_pair(
            keys, lambda c, a: _require_record(c, a, number), lost=everything
        )
        if content is None:
            return None
        record = _require_record(content, keys[0], number)
        suffix = layout.SEALED_SUFFIX if self._repository.sealing.encrypts else ""
        names = (layout.MANIFEST + suffix, layout.MANIFEST_COPY + suffix)

        def check(content: bytes, about: str) -> None:
            found = hashlib.sha256(content).hexdigest()
            if found != record.manifest_sha256:
                raise DamagedObjectError(f"{len(content)} bytes with SHA-256 {found}", hint="")

        self._check_pair(
            tuple(layout.point_key(number, name) for name in names), check, lost=everything
        )
        return record

    def check_numbers(self, files: dict[int, frozenset[str]], *, full: bool) -> None:
        """Every number ever used has its claim; a point that vanished is missed.

        What stands in the claims and tombstones of numbers that are over is read when ``full``.
        """
        for number in range(1, max(files, default=0) + 1):
            there = files.get(number, frozenset[str]())
            if full or is_point(there) or layout.CLAIM not in there:
                claim = Claim(number, NOT_KNOWN, self._now_ms)
                self._check_marker(layout.point_key(number, layout.CLAIM), claim)
            if full and layout.PRUNED in there:
                tombstone = Tombstone(number, self._now_ms, NOT_KNOWN)
                self._check_marker(layout.point_key(number, layout.PRUNED), tombstone)
        for number in vanished(self._repository, files):
            what = "both copies of its record are gone"
            broken = (Broken(number, "", "the whole point"),)
            key = layout.point_key(number, layout.RECORD)
            self.damages.append(Damage(key, what, (number,), broken))

    def check_others(self) -> None:
        """Pins, proofs, condemned lists, recipients: each by its own checksum and number."""
        for info in self._store.list(layout.PINS):
            if number := layout.number_of(info.key):
                self._check_marker(info.key, Pin(number, self._now_ms, NOT_KNOWN))
        for prefix, check in (
            (layout.PROOFS, _check_proof),
            (layout.CONDEMNED, _check_condemned),
            (layout.RECIPIENTS, _check_recipients),
        ):
            for info in self._store.list(prefix):
                if layout.number_of(info.key):
                    read = self._read(info.key, check)
                    if read.problem and read.problem != GONE:
                        self.damages.append(Damage(info.key, read.problem))

    def _check_marker(self, key: str, anew: Claim | Tombstone | Pin) -> None:
        def check(content: bytes, about: str) -> None:
            unchecked(
                type(anew), content, about=about, is_right=lambda found: found.number == anew.number
            )

        read = self._read(key, check)
        if not read.problem or (read.problem == GONE and not isinstance(anew, Claim)):
            return
        mended = self._write(key, checked(anew))
        self.damages.append(
            Damage(key, f"{read.problem}{'; it was written anew' * mended}", mended=mended)
        )

    def _check_pair(
        self,
        keys: tuple[str, ...],
        check: Callable[[bytes, str], object],
        *,
        lost: tuple[Broken, ...],
    ) -> bytes | None:
        """The content of a whole copy, with which the other one is mended; None when none is."""
        copies = [self._read(key, check) for key in keys]
        whole = next((copy.content for copy in copies if not copy.problem), None)
        numbers = tuple(one.point for one in lost)
        for key, copy in zip(keys, copies, strict=True):
            if not copy.problem:
                continue
            mended = whole is not None and self._write(key, whole)
            breaks = lost if whole is None else ()
            what = f"{copy.problem}; {MENDED}" if mended else copy.problem
            self.damages.append(Damage(key, what, numbers, breaks, mended=mended))
        return whole

    def _read(self, key: str, check: Callable[[bytes, str], object]) -> _Read:
        try:
            content = self._store.read(key)
            check(content, key)
        except MissingObjectError:
            return _Read(None, GONE)
        except DamagedObjectError as error:
            return _Read(None, error.what.removeprefix(f"{key} "))
        except PermanentError as error:
            return _Read(None, f"it cannot be read: {error.what}")
        return _Read(content)

    def _write(self, key: str, content: bytes) -> bool:
        """Whether that was possible: who verifies may have no right to write."""
        try:
            self._store.put(key, content)
        except (PermanentError, TransientError):
            return False
        return True


def vanished(repository: Repository, files: dict[int, frozenset[str]]) -> tuple[int, ...]:
    """Numbers that were a point, are none, and were not forgotten on purpose.

    The claim after them says so: it lists what was a point then.
    """
    suspects = [n for n, names in files.items() if not is_point(names) and not _is_over(names)]
    return tuple(n for n in suspects if _was_point(repository, n, files))


def unfinished(repository: Repository, files: dict[int, frozenset[str]]) -> tuple[int, ...]:
    """Numbers that were claimed and came to nothing.

    The caller holds the lease of backups, so whoever claimed them is dead, or was stopped and has
    lost the lease.
    """
    open_numbers = [n for n, names in files.items() if not is_point(names)]
    lost = vanished(repository, files)
    return tuple(n for n in open_numbers if n not in lost and layout.PRUNED not in files[n])


def _is_over(names: frozenset[str]) -> bool:
    return layout.PRUNED in names or not names - {layout.CLAIM}


def _was_point(repository: Repository, number: int, files: dict[int, frozenset[str]]) -> bool:
    later = min((n for n in files if n > number and layout.CLAIM in files[n]), default=None)
    if later is None:
        return False
    key = layout.point_key(later, layout.CLAIM)
    try:
        return number in unchecked(Claim, repository.store.read(key), about=key).points
    except (MissingObjectError, DamagedObjectError):
        return True  # when in doubt, nothing is deleted and it is named


def _require_record(content: bytes, about: str, number: int) -> PointRecord:
    return unchecked(PointRecord, content, about=about, is_right=lambda r: r.number == number)


def _check_proof(content: bytes, key: str) -> None:
    unchecked(
        ProofRecord,
        content,
        about=key,
        is_right=lambda p: layout.proof_key(p.point, p.at_ms) == key,
    )


def _check_condemned(content: bytes, key: str) -> None:
    read_condemned(content, layout.number_of(key) or 0, about=key)


def _check_recipients(content: bytes, key: str) -> None:
    unchecked(
        Recipients,
        content,
        about=key,
        is_right=lambda r: layout.numbered_key(layout.RECIPIENTS, r.revision) == key,
    )
