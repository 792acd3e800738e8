"""The index of the repository on this machine: opened, brought in step, made again."""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.domains.backup.index import refresh
from dp_assets.domains.backup.points import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dp_assets.domains.backup.index import Refreshed
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.repository_index import RepositoryIndex
    from dp_assets.settings import Settings


@contextmanager
def opened_index(
    settings: Settings, repository: Repository
) -> Generator[RepositoryIndex, None, None]:
    """The index of ``repository``; a damaged one, or one of another repository, starts empty.

    Writers call :func:`dp_assets.domains.backup.index.refresh` before they use it.

    Raises ConfigurationError when the state folder cannot be written.
    """
    repository_id = repository.description.repository_id
    # A replica has the same id, and not always the same objects.
    place = hashlib.sha256(repository.store.address.encode()).hexdigest()[:8]
    path = settings.indexes_dir / f"{repository_id}.{place}.db"
    with closing(SqliteRepositoryIndex(path, repository_id=repository_id)) as index:
        yield index


def rebuild_index(
    settings: Settings,
    repository: Repository,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Refreshed:
    """Forget the index and make it again from the points.

    Without a private key of an encrypted repository only the objects are learnt and not which
    source files they came from: the next backup then reads every source file again.

    Raises ConfigurationError, DamagedObjectError.
    """
    with opened_index(settings, repository) as index:
        index.clear()
        return refresh(Points(repository), repository, index, progress=progress)
