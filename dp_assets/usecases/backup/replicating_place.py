"""`dp replicate` and its check: from the repository of the settings to the second place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import owner_text
from dp_assets.core.units import now_ms
from dp_assets.usecases.backup.places import replica_store
from dp_assets.usecases.backup.replicating import Replication, replica_state, replicate
from dp_assets.usecases.backup.repositories import leases_of, open_for_reading

if TYPE_CHECKING:
    from dp_assets.domains.backup.progress import BackupProgress
    from dp_assets.domains.backup.replica import ReplicaState
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.replicating import Replicated


def replicate_to(
    settings: Settings,
    target: str = "",
    *,
    keep: bool = False,
    run_id: str = "dp replicate",
    progress: BackupProgress | None = None,
) -> Replicated:
    """Bring the place at ``target`` up to date; default: ``replica.url``.

    Raises as :func:`replicate`; ConfigurationError when no place is named.
    """
    store = replica_store(settings, target)
    asked = Replication(
        owner=owner_text(run_id),
        lease_ms=settings.repository.lease_seconds * 1000,
        keep=keep,
        workers=settings.backup.workers,
    )
    source = open_for_reading(settings)
    return replicate(source, store, leases_of(store), asked, now_ms=now_ms, progress=progress)


def lag_of(settings: Settings, target: str = "") -> ReplicaState:
    """How far the second place is behind; changes nothing. Raises as opening a repository."""
    return replica_state(
        open_for_reading(settings), replica_store(settings, target), now_ms=now_ms()
    )
