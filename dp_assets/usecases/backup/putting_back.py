"""Files of a table put back where they were, byte for byte; what is in their place is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.copying import StoppedError, Workers, threads_for
from dp_assets.core.guards import unguarded
from dp_assets.usecases.backup.copied_files import CountingWriter, nobody_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.recovery import StoredFile
    from dp_assets.usecases.backup.trash_files import Trash


@dataclass(frozen=True, slots=True)
class Hand:
    """How files are put back.

    Attributes:
        trash: keeps what is replaced.
        guard: raises when this run has lost the right to go on; asked before every file.
        on_bytes: told what was written.
    """

    repository: Repository
    files: LakeFiles
    trash: Trash
    workers: int
    guard: Callable[[], None] = unguarded
    on_bytes: Callable[[int], None] = nobody_counts


def put_back(
    hand: Hand, missing: Iterable[StoredFile], different: Iterable[StoredFile] = ()
) -> None:
    """Write every file with its hash checked; each is whole or untouched at any moment.

    Args:
        hand: how.
        missing: nothing is there; what appears meanwhile is left alone.
        different: something else is there: it goes to the trash first.

    Raises:
        DamagedObjectError, MissingObjectError: the repository has lost one; nothing was touched
            in its place.
        PermanentError: a name was taken meanwhile, or the disk is full.
    """
    replaced = list(different)
    work = [*((stored, False) for stored in missing), *((stored, True) for stored in replaced)]

    def put(job: tuple[StoredFile, bool], stop: Event) -> None:
        if stop.is_set():
            raise StoppedError
        hand.guard()
        stored, replaces = job
        with hand.files.create(stored.file.path) as out:
            hand.repository.copy_to(stored.ref, CountingWriter(out, hand.on_bytes))
            if replaces:
                hand.trash.set_aside(hand.files, stored.file.path)
            out.commit(replace=replaces)

    places = (hand.repository.store.address, *(stored.file.path for stored, _ in work))
    sizes = [stored.ref.size for stored, _ in work]
    Workers(put, count=threads_for(sizes, places, most=hand.workers)).run(work)
