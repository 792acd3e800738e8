"""What the steps of one backup share, and the errors that end a table without ending the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.copying import ByteBudget
from dp_assets.domains.backup.guarded import OneObject
from dp_assets.domains.backup.progress import NobodyWatches
from dp_assets.ports.object_store import CHUNK_BYTES
from dp_assets.ports.recovery import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from dp_assets.adapters.recovery.heartbeat import Heartbeat
    from dp_assets.core.errors import LakeError
    from dp_assets.domains.backup.index import KnownFiles
    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.selection import Selection
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.leases import Leases
    from dp_assets.ports.object_store import Reader
    from dp_assets.ports.recovery import History
    from dp_assets.ports.repository_index import RepositoryIndex

# An upload to a bucket keeps a file up to this size in memory (S3Options.memory_bytes).
REMOTE_HELD_BYTES = 32 << 20
LOCAL_HELD_BYTES = 2 * CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a backup is asked for.

    Attributes:
        workers: files at once.
        memory_bytes: of files in memory, all workers together.
        sample_files: known files that are read again.
    """

    selection: Selection
    history: History
    workers: int
    memory_bytes: int
    sample_files: int


@dataclass(frozen=True, slots=True)
class Target:
    """The repository that is written, and what goes with it."""

    repository: Repository
    points: Points
    index: RepositoryIndex
    known: KnownFiles
    leases: Leases


@dataclass(frozen=True)
class Parts:
    """Everything the steps of one backup use; safe for many threads."""

    target: Target
    files: LakeFiles
    wanted: Wanted
    heartbeat: Heartbeat
    sleep: Callable[[float], None]
    progress: BackupProgress = field(default_factory=NobodyWatches)

    def add(self, reader: Reader) -> tuple[ObjectRef, bool]:
        """Store content; the second value says whether the repository did not have it."""
        one = OneObject(self.target.index, self.heartbeat.require)
        ref = self.target.repository.add(reader, known=one)
        return ref, one.was_added

    def add_document(self, value: object) -> tuple[ObjectRef, bool]:
        """As :meth:`add`, for a dataclass."""
        one = OneObject(self.target.index, self.heartbeat.require)
        ref = self.target.repository.add_document(value, known=one)
        return ref, one.was_added

    def add_public(self, value: object) -> ObjectRef:
        """Store a dataclass that is readable without a key."""
        self.heartbeat.require()
        name, size = self.target.repository.add_public(value)
        return public_ref(name, size)


def public_ref(name: str, size: int) -> ObjectRef:
    """A document that is stored as it is, under its own hash."""
    return ObjectRef(name=name, sha256=name, size=size, stored_sha256=name, stored_size=size)


class Holding:
    """Bounds the bytes in memory; how many a file takes depends on where it goes."""

    def __init__(self, parts: Parts) -> None:
        remote = local_path(parts.target.repository.store.address) is None
        self._most = REMOTE_HELD_BYTES if remote else LOCAL_HELD_BYTES
        self._budget = ByteBudget(parts.wanted.memory_bytes)

    def of(self, size_bytes: int) -> AbstractContextManager[None]:
        """For the time a file of that size is on its way."""
        return self._budget.taken(min(size_bytes, self._most))


class SourceError(Exception):
    """A file of a table cannot be read; the repository is not to blame."""

    def __init__(self, error: LakeError) -> None:
        super().__init__(error.what)
        self.error = error


class VanishedError(Exception):
    """A file that the table's metadata names is not there."""


class BrokenError(Exception):
    """A file is there and is not what the table's metadata says of it."""
