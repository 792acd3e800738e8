"""Making a repository with its keys, and changing who can read it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.recovery.key_files import (
    make_identity_file,
    make_naming_key_file,
    public_keys,
    read_naming_key,
)
from dp_assets.adapters.recovery.sealing import AgeSealing, PlainSealing
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked
from dp_assets.domains.backup.opening import describe, initialise
from dp_assets.domains.backup.recipients import (
    Recipient,
    changed,
    newest_recipients,
    write_recipients,
)
from dp_assets.ports.object_store import DamagedObjectError
from dp_assets.usecases.backup.repositories import require_outside_warehouse, store_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from dp_assets.core.secrets import Secret
    from dp_assets.domains.backup.opening import Description
    from dp_assets.domains.backup.recipients import Recipients
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class NewKeys:
    """Where the keys of an encrypted repository are; a file that is missing is made.

    Attributes:
        naming_key: every writer needs it.
        identity: the private key; None when ``repository.recipients`` names the public ones.
    """

    naming_key: Path | None
    identity: Path | None


@dataclass(frozen=True, slots=True)
class MadeRepository:
    """The repository as it is now; ``made`` names what this call added."""

    address: str
    description: Description
    recipients: tuple[str, ...]
    made: tuple[str, ...]


def init_repository(settings: Settings, *, keys: NewKeys | None, now_ms: int) -> MadeRepository:
    """Make the repository that the settings name; harmless when it is there.

    Args:
        settings: where it is to be; recipients or a naming key there ask for encryption too.
        keys: the files of the keys; None when the settings say everything.
        now_ms: Unix epoch.

    Raises:
        ConfigurationError: inside the warehouse, or a key is missing, unreadable, or would lie in
            the repository or the warehouse.
        PermanentError: something else is there, or a repository that is not as asked for.
    """
    require_outside_warehouse(settings)
    store = store_of(settings)
    place = settings.repository
    encrypt = bool(keys or place.recipients or place.naming_key)
    there = describe(store)
    if there:
        return _existing(store, there, encrypt=encrypt)
    if not encrypt:
        done = initialise(store, PlainSealing(), repository_id=_new_id(), now_ms=now_ms)
        return MadeRepository(store.address, done.description, (), (f"repository {store.address}",))
    keys = keys or NewKeys(None, None)
    _require_elsewhere(settings, keys)
    made = list(_make_files(settings, keys, now_ms=now_ms))
    recipients = place.recipients or (public_keys(keys.identity) if keys.identity else ())
    sealing = AgeSealing(recipients=recipients, naming_key=_naming_key(settings, keys))
    done = initialise(
        store,
        sealing,
        repository_id=_new_id(),
        now_ms=now_ms,
        recipients=[Recipient(key) for key in recipients],
    )
    made.append(f"repository {store.address}")
    return MadeRepository(store.address, done.description, tuple(recipients), tuple(made))


def current_recipients(settings: Settings) -> tuple[Recipient, ...]:
    """Whom the repository is sealed for.

    Raises:
        ConfigurationError: there is no repository, or it is not encrypted.
        DamagedObjectError: the newest list is damaged.
    """
    found = newest_recipients(_encrypted_store(settings))
    return found.recipients if found else ()


def new_recipient(settings: Settings, identity: Path, *, now_ms: int) -> str:
    """Make a private key in a file of its own; the public one, for `change_recipients`.

    Raises ConfigurationError: there is such a file, or it would lie in repository or warehouse.
    """
    _encrypted_store(settings)
    _require_outside(settings, identity)
    if not make_identity_file(identity, now_ms=now_ms):
        raise ConfigurationError(
            f"there is a file {identity} already", hint="name a new one; no key is overwritten"
        )
    return public_keys(identity)[0]


def change_recipients(
    settings: Settings, *, add: Sequence[Recipient], remove: Collection[str], now_ms: int
) -> Recipients:
    """Seal new objects for more or fewer; what is stored stays as it was sealed.

    A damaged list is replaced: ``repository.recipients`` is then where the change starts from.

    Raises ConfigurationError, DamagedObjectError, TransientError.
    """
    store = _encrypted_store(settings)
    AgeSealing(recipients=[one.key for one in add])  # refuses what is no public key
    pinned = settings.repository.recipients
    try:
        newest = newest_recipients(store)
        now = newest.recipients if newest else ()
    except DamagedObjectError:
        if not pinned:
            raise
        now = tuple(Recipient(key) for key in pinned)
    return write_recipients(store, changed(now, add=add, remove=remove), now_ms=now_ms)


def _encrypted_store(settings: Settings) -> ObjectStore:
    store = store_of(settings)
    there = describe(store)
    if there is None:
        raise ConfigurationError(
            f"there is no repository at {store.address}", hint="'dp repo init' makes one"
        )
    if not there.encrypted:
        raise ConfigurationError(
            f"the repository at {store.address} is not encrypted",
            hint="make another one with 'dp repo init --encrypt'; this one stays as it is",
        )
    return store


def _existing(store: ObjectStore, there: Description, *, encrypt: bool) -> MadeRepository:
    if encrypt != there.encrypted:
        raise PermanentError(
            f"there is a repository at {store.address} already, and it is"
            f"{'' if there.encrypted else ' not'} encrypted",
            hint="choose another place; encryption cannot be changed later",
        )
    store.create(layout.DESCRIPTION_COPY, checked(there))  # in case the first call was killed
    found = newest_recipients(store)
    return MadeRepository(store.address, there, found.keys if found else (), ())


def _new_id() -> str:
    return str(uuid.uuid4())


def _require_elsewhere(settings: Settings, keys: NewKeys) -> None:
    """A key beside what it opens is lost with it, or stolen with it."""
    if not (settings.repository.naming_key or keys.naming_key):
        raise ConfigurationError(
            "an encrypted repository needs a naming key", hint="--naming-key FILE makes one"
        )
    if not (settings.repository.recipients or keys.identity):
        raise ConfigurationError(
            "an encrypted repository needs somebody who can read it",
            hint="--identity FILE makes a private key; or set repository.recipients to public ones",
        )
    for file in (keys.naming_key, keys.identity):
        if file:
            _require_outside(settings, file)


def _require_outside(settings: Settings, file: Path) -> None:
    for what, url in (
        ("repository", settings.repository.url),
        ("warehouse", settings.warehouse.root),
    ):
        folder = local_path(url)
        if folder and file.resolve().is_relative_to(folder.resolve()):
            raise ConfigurationError(
                f"key file {file} would lie in the {what}", hint="keep keys somewhere else"
            )


def _make_files(settings: Settings, keys: NewKeys, *, now_ms: int) -> Iterator[str]:
    naming, identity = keys.naming_key, keys.identity
    if naming and not settings.repository.naming_key and make_naming_key_file(naming):
        yield f"naming key {naming}"
    if settings.repository.recipients:
        return
    if identity and make_identity_file(identity, now_ms=now_ms):
        yield f"private key {identity}"


def _naming_key(settings: Settings, keys: NewKeys) -> Secret | None:
    if settings.repository.naming_key:
        return settings.repository.naming_key
    return read_naming_key(keys.naming_key) if keys.naming_key else None
