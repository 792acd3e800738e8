"""Where the verbs work on a repository: that of the settings, or one at an address."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.objects.s3_settings import S3Options
from dp_assets.adapters.recovery.repository_index import SqliteRepositoryIndex
from dp_assets.core.errors import ConfigurationError
from dp_assets.usecases.backup.indexing import opened_index
from dp_assets.usecases.backup.repositories import open_at, open_for_reading

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.ports.repository_index import RepositoryIndex
    from dp_assets.settings import Settings


@contextmanager
def opened_place(
    settings: Settings | None, url: str, *, key_files: Sequence[Path] = ()
) -> Generator[tuple[Repository, RepositoryIndex], None, None]:
    """A repository and what is remembered of it: nothing for one at an address.

    Raises ConfigurationError, DamagedObjectError.
    """
    if not url and settings:
        repository = open_for_reading(settings, key_files=key_files)
        with opened_index(settings, repository) as index:
            yield repository, index
        return
    repository = open_address(settings, url, key_files=key_files)
    # Two copies of a repository have one id and not the same damages.
    repository_id = repository.description.repository_id
    with closing(SqliteRepositoryIndex(None, repository_id=repository_id)) as index:
        yield repository, index


def open_address(
    settings: Settings | None, url: str, *, key_files: Sequence[Path] = ()
) -> Repository:
    """The repository at an address; keys and credentials of the settings are used where they fit.

    Raises ConfigurationError, DamagedObjectError.
    """
    files = (*(settings.repository.identity_files if settings else ()), *key_files)
    return open_at(url, key_files=files, properties=_properties(settings, url))


def replica_store(settings: Settings, url: str = "") -> ObjectStore:
    """The second place. Raises ConfigurationError when none is named."""
    found = url or settings.replica.url
    if not found:
        raise ConfigurationError(
            "no second place is named", hint="dp replicate TARGET, or set replica.url"
        )
    return open_store(
        found,
        properties=_properties(settings, found),
        tmp_dir=settings.tmp_dir,
        options=S3Options(deadline_s=settings.repository.deadline_seconds),
    )


def _properties(settings: Settings | None, url: str) -> Mapping[str, str]:
    """Those of the settings' place with that address; else the environment decides."""
    if settings is None:
        return {}
    for place in (settings.repository, settings.replica):
        if str(place.url).rstrip("/") == url.rstrip("/"):
            return place.plain_properties() or settings.catalog.plain_properties()
    return {}
