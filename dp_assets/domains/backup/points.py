"""Recovery points in a repository: claimed, committed, read back, forgotten.

Order of writing: claim, objects, then, once these are durable, manifest, its copy, record, its
copy. The point exists once its record does. Order of forgetting: the tombstone first, then the
rest; the claim stays for ever, so that no number is used twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, pack, read_either, unpack
from dp_assets.domains.backup.repository import damaged
from dp_assets.domains.backup.sealed_bytes import require_sha256, seal_bytes, unseal_bytes
from dp_assets.ports.object_store import DamagedObjectError, MissingObjectError
from dp_assets.ports.recovery import PointManifest, PointRecord, References, TableContent

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import PointTable


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took a number, whether or not a point came of it.

    Attributes:
        points: what was a point then, so that one whose files vanish later is missed.
    """

    number: int
    owner: str
    at_ms: int
    points: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Why a point is no more."""

    number: int
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class SealedManifest:
    """A manifest as it is stored, to be committed with a record that names its hash."""

    stored: bytes
    sha256: str


class Points:
    """The points of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._store = repository.store

    def files(self) -> dict[int, frozenset[str]]:
        """By number ever claimed, the files that are there."""
        found: dict[int, set[str]] = {}
        for info in self._store.list(layout.POINTS):
            if at := layout.point_of(info.key):
                found.setdefault(at[0], set()).add(at[1])
        return {number: frozenset(names) for number, names in found.items()}

    def numbers(self) -> tuple[int, ...]:
        """Every point that was committed and not forgotten, oldest first."""
        return tuple(sorted(n for n, files in self.files().items() if is_point(files)))

    def claim(self, owner: str, *, now_ms: int) -> int:
        """A number of our own, above every other."""
        taken = self.files()
        there = tuple(sorted(n for n, files in taken.items() if is_point(files)))
        number = layout.next_number(taken)
        while not self._store.create(
            layout.point_key(number, layout.CLAIM), checked(Claim(number, owner, now_ms, there))
        ):
            number += 1
        return number

    def seal_manifest(self, manifest: PointManifest) -> SealedManifest:
        """The manifest as bytes, and the hash that its record must name."""
        stored, sha256 = seal_bytes(pack(manifest), self._repository.sealing)
        return SealedManifest(stored, sha256)

    def commit(self, record: PointRecord, manifest: SealedManifest) -> None:
        """Make the point exist. The same call again, after an unclear failure, is harmless.

        Everything that was added to the repository is made durable before.

        Raises:
            TransientError: its number was used by somebody else, or given up by a prune: the lease
                was lost. There is no point then.
        """
        self._repository.settle()
        for name in (layout.MANIFEST, layout.MANIFEST_COPY):
            self._write_once(record.number, name + self._suffix, manifest.stored)
        content = checked(record)
        for name in (layout.RECORD, layout.RECORD_COPY):
            self._write_once(record.number, name, content)
        if self.is_forgotten(record.number):
            raise TransientError(
                f"recovery point {record.number} was given up before it was committed: this run "
                "was stopped and lost its lease",
                hint="run it again; a new number is claimed",
            )

    def _write_once(self, number: int, name: str, content: bytes) -> None:
        """Nothing of a point is ever overwritten, so that no loser harms the winner."""
        key = layout.point_key(number, name)
        if not self._store.create(key, content) and self._store.read(key) != content:
            raise TransientError(
                f"recovery point {number} was written by another run",
                hint="run it again; a new number is claimed",
            )

    def find(self, number: int) -> PointRecord | None:
        """The public part; None when there is no such point, or none any more.

        Raises:
            DamagedObjectError: what is left of it is damaged.
            ConfigurationError: it is of a later format.
        """
        keys = (
            layout.point_key(number, layout.RECORD),
            layout.point_key(number, layout.RECORD_COPY),
        )
        if self.is_forgotten(number):
            return None
        found = read_either(self._store, PointRecord, keys, is_right=lambda r: r.number == number)
        if found and found.format > layout.FORMAT:
            raise ConfigurationError(
                f"recovery point {number} is of format {found.format}, this software knows "
                f"{layout.FORMAT}",
                hint="use the version that wrote it, or a later one",
            )
        return found

    def record(self, number: int) -> PointRecord:
        """The public part. Raises ConfigurationError for no such point, DamagedObjectError."""
        found = self.find(number)
        if found is None:
            raise ConfigurationError(f"there is no recovery point {number}", hint="see 'dp points'")
        return found

    def is_forgotten(self, number: int) -> bool:
        """Whether it was removed on purpose."""
        return self._store.size(layout.point_key(number, layout.PRUNED)) is not None

    def manifest(self, record: PointRecord) -> PointManifest:
        """The private part, from the first copy that is whole. Raises DamagedObjectError."""
        about = f"the manifest of recovery point {record.number}"
        content = unseal_bytes(self.stored_manifest(record), self._repository.sealing, about)
        return unpack(PointManifest, content, about=about)

    def stored_manifest(self, record: PointRecord) -> bytes:
        """As it is stored, from the first copy that is whole. Raises DamagedObjectError."""
        problem = ""
        for name in (layout.MANIFEST, layout.MANIFEST_COPY):
            key = layout.point_key(record.number, name + self._suffix)
            try:
                return require_sha256(self._store.read(key), record.manifest_sha256, about=key)
            except (MissingObjectError, DamagedObjectError) as error:
                problem = error.what
        raise DamagedObjectError(
            f"both copies of the manifest of recovery point {record.number} are damaged: {problem}",
            hint="restore another point; 'dp points' lists them",
        )

    def content(self, table: PointTable) -> TableContent:
        """What the point holds of one table. Raises PermanentError for one that is incomplete."""
        if table.content is None:
            raise PermanentError(
                f"the point holds nothing of {table.table}: {table.problem}",
                hint="choose an older point; 'dp points show N' names what each holds",
            )
        return self._repository.read_document(TableContent, table.content)

    def references(self, name: str) -> References:
        """The objects of one table by the name of their list. Raises DamagedObjectError."""
        try:
            return self._repository.read_public(References, name)
        except MissingObjectError as error:
            raise damaged(name, "it is gone") from error

    def forget(self, number: int, *, now_ms: int, reason: str) -> None:
        """Remove a point; its objects stay until they are pruned. Twice is once."""
        self._store.create(
            layout.point_key(number, layout.PRUNED), checked(Tombstone(number, now_ms, reason))
        )
        manifests = (layout.MANIFEST + self._suffix, layout.MANIFEST_COPY + self._suffix)
        names = (layout.RECORD, layout.RECORD_COPY, *manifests)
        self._store.delete([layout.point_key(number, name) for name in names])

    @property
    def _suffix(self) -> str:
        return layout.SEALED_SUFFIX if self._repository.sealing.encrypts else ""


def is_point(files: frozenset[str]) -> bool:
    """Whether the files of a number make a point; one lost copy of the record is no loss."""
    there = layout.RECORD in files or layout.RECORD_COPY in files
    return there and layout.PRUNED not in files
