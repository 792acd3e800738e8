"""`dp prune`, `dp pin` and `dp unpin` on the repository of the settings, or at an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import owner_text
from dp_assets.core.errors import PermanentError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.pins import Pin, pin, unpin
from dp_assets.domains.backup.points import Points
from dp_assets.domains.backup.retention import Rules
from dp_assets.lakehouse import opened
from dp_assets.usecases.backup.places import open_address
from dp_assets.usecases.backup.pruning import Pruning, plan_prune, prune, require_own
from dp_assets.usecases.backup.repositories import leases_of, open_for_reading

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.pruning import Pruned, PrunePlan


@dataclass(frozen=True, slots=True)
class PruningPlace:
    """A repository with the rules that apply to it."""

    repository: Repository
    asked: Pruning

    def plan(self) -> PrunePlan:
        """What would go; changes nothing. Raises as :func:`plan_prune`."""
        return plan_prune(self.repository, self.asked)

    def prune(self) -> Pruned:
        """Raises as :func:`dp_assets.usecases.backup.pruning.prune`."""
        leases = leases_of(self.repository.store)
        return prune(self.repository, leases, self.asked, now_ms=now_ms)


def open_for_pruning(
    settings: Settings,
    url: str = "",
    *,
    given_up: frozenset[int] = frozenset(),
    run_id: str = "dp prune",
) -> PruningPlace:
    """The repository of the settings if its points are this lakehouse's; or the one at ``url``.

    Raises:
        PermanentError: its points are another lakehouse's, or this one has no identity.
        ConfigurationError, DamagedObjectError: it cannot be opened.
    """
    retention = settings.retention
    asked = Pruning(
        rules=Rules(
            daily=retention.daily,
            weekly=retention.weekly,
            monthly=retention.monthly,
            min_proven=retention.min_proven,
        ),
        owner=owner_text(run_id),
        lease_ms=settings.repository.lease_seconds * 1000,
        given_up=given_up,
    )
    repository = _open(settings, url)
    if not url:
        require_own(repository, _lakehouse_id(settings))
    return PruningPlace(repository, asked)


def pin_point(settings: Settings, url: str, number: int, *, note: str) -> None:
    """Keep a point until it is unpinned. Raises ConfigurationError for no such point."""
    repository = _open(settings, url)
    pin(repository.store, Points(repository), Pin(number, now_ms(), note))


def unpin_point(settings: Settings, url: str, number: int) -> None:
    """Let the rules decide again. Raises ConfigurationError for a point that is not pinned."""
    unpin(_open(settings, url).store, number)


def _open(settings: Settings, url: str) -> Repository:
    return open_address(settings, url) if url else open_for_reading(settings)


def _lakehouse_id(settings: Settings) -> str:
    with opened(settings, doing="dp prune") as lake:
        identity = lake.identity
    if identity is None:
        raise PermanentError("prune: this lakehouse has no identity", hint="run 'dp init'")
    return identity.lakehouse_id
