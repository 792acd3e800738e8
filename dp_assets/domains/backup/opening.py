"""Making a repository, and opening one: what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.documents import checked, read_either
from dp_assets.domains.backup.recipients import write_recipients
from dp_assets.domains.backup.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dp_assets.domains.backup.recipients import Recipient
    from dp_assets.ports.object_store import ObjectStore
    from dp_assets.ports.sealing import Sealing

CLEAR, KEYED = "sha256", "hmac-sha256"  # how objects are named
NAMING_PROBE = "0" * 64  # its name tells one naming key from another and gives neither away
PROBE = "leases/probe-{}.json"


@dataclass(frozen=True, slots=True)
class Description:
    """What ``repository.json`` says; it never changes.

    Attributes:
        naming: ``sha256`` of the content, or ``hmac-sha256`` of that hash with a secret key.
        naming_probe: the name of a fixed text, so that a wrong naming key is noticed at once.
        one_winner: create-if-absent was tried here and let exactly one of two through.
    """

    format: int
    repository_id: str
    created_at_ms: int
    naming: str
    naming_probe: str
    one_winner: bool

    @property
    def encrypted(self) -> bool:
        """Whether content is sealed and names are keyed."""
        return self.naming == KEYED


def initialise(
    store: ObjectStore,
    sealing: Sealing,
    *,
    repository_id: str,
    now_ms: int,
    recipients: Sequence[Recipient] = (),
) -> Repository:
    """Make a repository in an empty store; ``recipients`` are whom it is sealed for.

    Raises:
        PermanentError: there is one already, or something else.
    """
    # Leases may be older than the repository, and so may the recipients of one that was killed
    # while it was being made: its description comes last.
    for info in store.list(""):
        if not info.key.startswith((layout.LEASES, layout.RECIPIENTS)):
            raise PermanentError(
                f"{store.address} is not empty: it holds {info.key}",
                hint="'dp repo info' shows a repository; otherwise choose an empty place",
            )
    if recipients:
        write_recipients(store, recipients, now_ms=now_ms)
    description = Description(
        format=layout.FORMAT,
        repository_id=repository_id,
        created_at_ms=now_ms,
        naming=KEYED if sealing.encrypts else CLEAR,
        naming_probe=sealing.name_of(NAMING_PROBE),
        one_winner=has_one_winner(store, repository_id),
    )
    if not store.create(layout.DESCRIPTION, checked(description)):
        raise PermanentError(
            f"somebody else made a repository at {store.address} just now", hint="'dp repo info'"
        )
    store.create(layout.DESCRIPTION_COPY, checked(description))
    return Repository(store, sealing, description)


def has_one_winner(store: ObjectStore, probe: str) -> bool:
    """Whether create-if-absent is honoured: the second of two must lose."""
    key = PROBE.format(probe)
    first, second = store.create(key, b"first"), store.create(key, b"second")
    return first and not second and store.read(key) == b"first"


def describe(store: ObjectStore) -> Description | None:
    """What the repository in ``store`` says of itself; None when there is none.

    Raises:
        ConfigurationError: it is of a later format.
        DamagedObjectError: both copies of its description are damaged.
    """
    found = read_either(store, Description, (layout.DESCRIPTION, layout.DESCRIPTION_COPY))
    if found and (found.format > layout.FORMAT or found.naming not in (CLEAR, KEYED)):
        raise ConfigurationError(
            f"{store.address} is of format {found.format} with names by {found.naming}, this "
            f"software knows {layout.FORMAT}",
            hint="use the version that wrote it, or a later one",
        )
    return found


def open_repository(
    store: ObjectStore, make_sealing: Callable[[Description], Sealing]
) -> Repository:
    """The repository in ``store``.

    ``make_sealing`` says how its content is sealed, given what it says of itself.

    Raises:
        ConfigurationError: there is none, it is of a later format, or the naming key is wrong.
        DamagedObjectError: both copies of its description are damaged.
    """
    description = describe(store)
    if description is None:
        raise ConfigurationError(
            f"there is no repository at {store.address}", hint="'dp repo init' makes one"
        )
    sealing = make_sealing(description)
    if sealing.can_name and sealing.name_of(NAMING_PROBE) != description.naming_probe:
        raise ConfigurationError(
            f"the naming key is not that of the repository at {store.address}",
            hint="repository.naming_key must name the file that 'dp repo init' made for this one",
        )
    return Repository(store, sealing, description)
