"""Files put into their place by a restore: copied out of a repository, or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.guards import unguarded
from dp_assets.domains.backup.hashing import drain
from dp_assets.domains.backup.settling import Settling
from dp_assets.ports.object_store import WHOLE_BYTES
from dp_assets.usecases.backup.copied_files import (
    CountingWriter,
    is_whole,
    nobody_counts,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.lake_files import LakeFiles, NewFile
    from dp_assets.ports.recovery import ObjectRef


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where files go, and how.

    Attributes:
        files: of the target.
        tmp_dir: for one delete file per worker.
        workers: files at once; a copy holds one chunk of its file.
        resume: what is there already is this restore's own: it is read and compared, kept when
            it is right and replaced when it is not. Else nothing that exists is touched.
        guard: raises when this run has lost the right to go on; asked before every file.
        on_bytes: told what was read of the repository, or found to be there already.
    """

    repository: Repository
    files: LakeFiles
    tmp_dir: Path
    workers: int = 4
    resume: bool = False
    guard: Callable[[], None] = unguarded
    on_bytes: Callable[[int], None] = nobody_counts


class Placing:
    """The files of one table; what was written is remembered, to be taken back.

    Args:
        way: how they go.
        location: of the table; what is below it is settled on the disk meanwhile.
    """

    def __init__(self, way: Way, location: str) -> None:
        self._way = way
        self._made: list[str] = []
        self.settling = Settling(lambda: way.files.settle([location]))

    def copy(self, ref: ObjectRef, location: str) -> None:
        """A file as it is; one that is there already, whole, stays when the way says so."""
        if self._way.resume and is_whole(self._way.files, location, ref):
            self._way.on_bytes(ref.size)
            return
        if ref.size <= WHOLE_BYTES:
            self.write(location, self._way.repository.read(ref))
            self._way.on_bytes(ref.size)
        else:
            with self._way.files.create(location) as out:
                self._way.repository.copy_to(ref, CountingWriter(out, self._way.on_bytes))
                self._commit(out, location)
        self.settling.wrote(ref.size)

    def write(self, location: str, data: bytes) -> None:
        """A file of this content."""
        self._way.files.write(location, data, replace=self._way.resume, durable=False)
        self._made.append(location)

    def write_from(self, file: Path, location: str) -> None:
        """A file of the content of a local one."""
        with file.open("rb") as source, self._way.files.create(location) as target:
            drain(source, target)
            self._commit(target, location)

    def undo(self) -> None:
        """Remove what was written; what was there before stays."""
        while self._made:
            self._way.files.delete(self._made.pop())

    def _commit(self, file: NewFile, location: str) -> None:
        file.commit(replace=self._way.resume, durable=False)
        self._made.append(location)
