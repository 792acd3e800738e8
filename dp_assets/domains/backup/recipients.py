"""For whom an encrypted repository is sealed: numbered lists, of which the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, unchecked
from dp_assets.ports.object_store import DamagedObjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dp_assets.ports.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who can read: a public key, ``age1...``, and whose it is."""

    key: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Everybody whom new objects are sealed for, from this revision on."""

    revision: int
    at_ms: int
    recipients: tuple[Recipient, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The public keys."""
        return tuple(one.key for one in self.recipients)


def newest_recipients(store: ObjectStore) -> Recipients | None:
    """The list with the highest number; None when there is none.

    Raises:
        DamagedObjectError: it is damaged. An earlier one is not taken instead: somebody may have
            been removed since.
    """
    numbers = [n for info in store.list(layout.RECIPIENTS) if (n := layout.number_of(info.key))]
    if not numbers:
        return None
    key = layout.numbered_key(layout.RECIPIENTS, max(numbers))
    about, hint = f"{store.address}/{key}", "set repository.recipients to the public keys"
    try:
        return unchecked(
            Recipients, store.read(key), about=about, is_right=lambda r: r.revision == max(numbers)
        )
    except DamagedObjectError as error:
        raise DamagedObjectError(error.what, hint=hint) from error


def keys_to_seal_for(store: ObjectStore, expected: Collection[str]) -> tuple[str, ...]:
    """The public keys for new objects.

    Args:
        store: the repository's.
        expected: the keys in the settings; empty when those of the repository are trusted.

    Raises:
        ConfigurationError: the repository names others than the settings, or nobody is named.
            Who can write there must not be able to add himself.
    """
    try:
        found = newest_recipients(store)
    except DamagedObjectError:
        if not expected:
            raise
        found = None
    if found and expected and set(found.keys) != set(expected):
        raise ConfigurationError(
            f"{store.address} is to be sealed for {_listed(found.keys)}, the settings say "
            f"{_listed(expected)}",
            hint="if you changed them with 'dp repo recipients', change repository.recipients too;"
            " otherwise find out who wrote there",
        )
    keys = tuple(expected) or (found.keys if found else ())
    if not keys:
        raise ConfigurationError(
            f"nobody is named that {store.address} is sealed for",
            hint="'dp repo recipients --add age1...' names somebody",
        )
    return keys


def write_recipients(
    store: ObjectStore, recipients: Sequence[Recipient], *, now_ms: int
) -> Recipients:
    """Make ``recipients`` the newest list.

    Raises:
        ConfigurationError: nobody would be able to read.
        TransientError: somebody else wrote a list at the same time.
    """
    if not recipients:
        raise ConfigurationError(
            "the last recipient cannot be removed", hint="add another one first"
        )
    numbers = [n for info in store.list(layout.RECIPIENTS) if (n := layout.number_of(info.key))]
    made = Recipients(layout.next_number(numbers), now_ms, tuple(recipients))
    if not store.create(layout.numbered_key(layout.RECIPIENTS, made.revision), checked(made)):
        raise TransientError(
            f"the recipients of {store.address} were changed at the same time",
            hint="'dp repo recipients' shows them; run it again",
        )
    return made


def changed(
    now: Sequence[Recipient], *, add: Sequence[Recipient] = (), remove: Collection[str] = ()
) -> tuple[Recipient, ...]:
    """``now`` with some added (their comments replaced) and some removed.

    Raises:
        ConfigurationError: who is to be removed is not there.
    """
    unknown = set(remove) - {one.key for one in now}
    if unknown:
        raise ConfigurationError(
            f"{_listed(unknown)} is no recipient", hint="'dp repo recipients' lists them"
        )
    new = {one.key for one in add} | set(remove)
    return (*(one for one in now if one.key not in new), *add)


def _listed(keys: Collection[str]) -> str:
    return ", ".join(sorted(keys)) or "nobody"
