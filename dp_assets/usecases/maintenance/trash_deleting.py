"""The one place where maintenance deletes files of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.file_identity import can_be_reached
from dp_assets.adapters.objects.copying import Workers, threads_for
from dp_assets.core.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event

    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord

DELETING_THREADS = 8


def delete_unless_changed(
    files: LakeFiles, batch: Sequence[TrashedFile], *, guard: Callable[[], None]
) -> tuple[TrashedFile, ...]:
    """Delete the files; those that somebody has written anew since they were recorded stay.

    Nobody writes twice under a name that a commit has used. Under that of an orphan a writer may:
    what is there now is then another file, perhaps of a commit that is about to land.

    Args:
        files: where they are.
        batch: to be deleted.
        guard: asked before each of them; must cost next to nothing. A process that was stopped in
            the middle may go on when somebody else has taken the rest out of the trash.

    Returns:
        Those that stay.

    Raises what the guard raises; files before that one are deleted.
    """

    def delete(file: TrashedFile, _stop: Event) -> bool:
        guard()
        if file.version:
            found = files.stat(file.path)
            if found is not None and found.version != file.version:
                return False
        files.delete(file.path)
        return True

    paths = [file.path for file in batch]
    threads = threads_for([0] * len(paths), paths, most=DELETING_THREADS)
    deleted = Workers(delete, count=threads).run(batch)
    return tuple(file for file, is_gone in zip(batch, deleted, strict=True) if not is_gone)


def require_reachable(due: Iterable[TrashRecord]) -> None:
    """Before anything goes, and so that nothing is judged by a prefix that nobody knows.

    Raises PermanentError for a file where nothing can be deleted.
    """
    for record in due:
        for file in record.files:
            if not can_be_reached(file.path):
                raise PermanentError(
                    f"empty the trash: nothing is known of files like {file.path} "
                    f"(record {record.id})",
                    hint="nothing was deleted; known are file:// and s3:// locations",
                )
