"""What `dp doctor` says about recovery; the repository is looked at, nothing in it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.doctor.doctor_machine import examine_folder, examine_key_files
from dp_assets.adapters.local_files import local_path
from dp_assets.core.errors import LakeError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.opening import describe
from dp_assets.domains.lake.doctor import Area, Finding, Severity
from dp_assets.domains.lake.doctor_recovery import (
    REPOSITORY,
    check_key_files,
    check_recovery,
    check_repository_folder,
    no_repository,
)
from dp_assets.usecases.backup.recovery_page import recovery_state
from dp_assets.usecases.backup.repositories import (
    open_for_reading,
    require_outside_warehouse,
    store_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dp_assets.ports.doctor import Folder
    from dp_assets.settings import Settings


def diagnose_recovery(settings: Settings, folders: Sequence[Folder]) -> Iterator[Finding]:
    """All findings about the repository of the settings.

    Args:
        settings: of the lakehouse.
        folders: the lakehouse's own, already examined.
    """
    yield from check_key_files(examine_key_files(settings.repository.identity_files))
    try:
        require_outside_warehouse(settings)
        store = store_of(settings)
        if describe(store) is None:
            yield no_repository(store.address)
            return
        yield from _place(settings, folders)
        state = recovery_state(settings, open_for_reading(settings), now_ms=now_ms())
    except LakeError as error:
        yield Finding(Severity.ERROR, Area.RECOVERY, REPOSITORY, error.what, error.hint)
        return
    yield from check_recovery(state)


def _place(settings: Settings, folders: Sequence[Folder]) -> Iterator[Finding]:
    """Of a folder only: a bucket is not probed, its writers may not be allowed to delete."""
    path = local_path(settings.repository.url)
    if path is not None:
        yield from check_repository_folder(examine_folder("repository", path), folders)
