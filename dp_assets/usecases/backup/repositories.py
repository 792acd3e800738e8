"""Making, opening and describing the repository that the settings name."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import is_gone
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.objects.leases_objects import ObjectLeases
from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.adapters.objects.s3_settings import S3Options, bucket_and_key
from dp_assets.adapters.recovery.key_files import read_identities
from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.opening import open_repository
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.recipients import Recipient, keys_to_seal_for, newest_recipients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dp_assets.core.secrets import Secret
    from dp_assets.domains.backup.opening import Description
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.leases import Leases
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.ports.sealing import Sealing
    from dp_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class RepositoryInfo:
    """What there is to say of a repository without a key; ``newest`` is None before any point."""

    address: str
    description: Description
    recipients: tuple[Recipient, ...]
    points: int
    newest: int | None
    newest_at_ms: int | None
    objects: int
    bytes: int


def open_for_writing(settings: Settings) -> Repository:
    """The repository of the settings, ready to take objects.

    Raises:
        ConfigurationError: there is none; it is inside the warehouse; the naming key is missing or
            wrong; it is sealed for others than the settings say, or not at all; or its server lets
            two writers win, and nobody has said that there is only one.
        DamagedObjectError: what it says of itself is damaged.
    """
    require_outside_warehouse(settings)
    store = store_of(settings)
    wanted = settings.repository

    def sealing(description: Description) -> Sealing:
        if not description.encrypted:
            if wanted.recipients or wanted.naming_key:
                raise ConfigurationError(
                    f"{store.address} is not encrypted, and the settings ask for it",
                    hint="find out who made it; a repository cannot be encrypted later",
                )
            return PlainSealing()
        found = AgeSealing(
            recipients=keys_to_seal_for(store, wanted.recipients),
            naming_key=wanted.naming_key,
            identities=_identities(wanted.identity_files),
        )
        found.name_of("")  # without a naming key nothing can be stored: say so now
        return found

    repository = open_repository(store, sealing)
    if not repository.description.one_winner and not wanted.only_writer:
        raise ConfigurationError(
            f"{store.address} ignores create-if-absent: two writers could both win",
            hint="if nobody else ever writes there, set repository.only_writer: true",
        )
    return repository


def open_for_reading(settings: Settings, *, key_files: Sequence[Path] = ()) -> Repository:
    """The repository of the settings; more private keys than theirs may be given.

    Raises ConfigurationError, DamagedObjectError.
    """
    files = (*settings.repository.identity_files, *key_files)
    return _reading(store_of(settings), files)


def open_at(
    url: str, *, key_files: Sequence[Path] = (), properties: Mapping[str, str] | None = None
) -> Repository:
    """The repository at an address, for reading, without any settings.

    Args:
        url: a folder or ``s3://bucket/prefix``.
        key_files: age identity files; none are needed to verify.
        properties: as in ``repository.properties``; else the AWS environment says.

    Raises ConfigurationError, DamagedObjectError.
    """
    path = local_path(url)
    store = open_store(
        url if path is None else str(path.expanduser().absolute()),
        properties=properties or {},
        tmp_dir=Path(tempfile.gettempdir()),
    )
    return _reading(store, key_files)


def _reading(store: ObjectStore, key_files: Iterable[Path]) -> Repository:
    identities = _identities(key_files)
    return open_repository(
        store, lambda d: AgeSealing(identities=identities) if d.encrypted else PlainSealing()
    )


def _identities(files: Iterable[Path]) -> list[Secret]:
    return [secret for file in files for secret in read_identities(file)]


def store_of(settings: Settings) -> ObjectStore:
    """Where the repository of the settings is or is to be; nothing is contacted yet."""
    place = settings.repository
    return open_store(
        place.url,
        properties=place.plain_properties() or settings.catalog.plain_properties(),
        tmp_dir=settings.tmp_dir,
        options=S3Options(
            storage_class=place.storage_class,
            server_side_encryption=place.server_side_encryption.replace("none", ""),
            deadline_s=place.deadline_seconds,
        ),
    )


def leases_of(store: ObjectStore) -> Leases:
    """The leases kept in a repository, seen by everybody who writes there."""
    return ObjectLeases(
        store, now_ms=now_ms, sleep=time.sleep, prefix=layout.LEASES, is_gone=is_gone
    )


def require_outside_warehouse(settings: Settings) -> None:
    """Raises ConfigurationError when repository and warehouse lie in each other."""
    url, root = settings.repository.url, settings.warehouse.root
    one, other = _comparable(url), _comparable(root)
    if one.startswith(other) or other.startswith(one):
        raise ConfigurationError(
            f"the repository {url.redacted} and the warehouse {root.redacted} lie in each other",
            hint="what destroys the one must not destroy the other: choose another place, better"
            " on another disk or in another bucket, for repository.url",
        )


def _comparable(url: str) -> str:
    path = local_path(url)
    if path is not None:
        return f"{path.resolve()}/"
    bucket, key = bucket_and_key(url) or (url, "")
    return f"s3://{bucket}/{key.strip('/')}/".replace("//", "/")


def describe_repository(repository: Repository) -> RepositoryInfo:
    """Read what is public, and list the objects. Raises DamagedObjectError."""
    points = Points(repository)
    numbers = points.numbers()
    recipients = newest_recipients(repository.store)
    objects = size = 0
    for info in repository.store.list(layout.OBJECTS):
        objects, size = objects + 1, size + info.size
    return RepositoryInfo(
        address=repository.store.address,
        description=repository.description,
        recipients=recipients.recipients if recipients else (),
        points=len(numbers),
        newest=numbers[-1] if numbers else None,
        newest_at_ms=points.record(numbers[-1]).created_at_ms if numbers else None,
        objects=objects,
        bytes=size,
    )
