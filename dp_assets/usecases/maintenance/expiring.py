"""Expiry of one table: planned from its metadata, committed, what it frees put into the trash.

The order of what is durable, and what a kill after each step leaves:

1. the trash record, ``unfinished``: every file in it is still named by the table, so that no
   emptying deletes one; the next expiry finds the snapshots in the table and drops the record;
2. the new metadata file: besides, a file that nothing names, for the sweep for orphans;
3. the pointer: the expiry is done. The next expiry or emptying finds the snapshots gone and
   takes the record as what it is;
4. the record, ``waiting``: nothing is left to do until its window closes.

The record comes first because nothing else knows the freed files once the pointer has moved. A
commit whose outcome is unknown leaves the record: emptying asks the table again anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_pointer import LOST_RACE
from dp_assets.adapters.pyiceberg_writer import no_failpoint
from dp_assets.core.errors import TransientError
from dp_assets.core.guards import unguarded
from dp_assets.domains.maintenance.trash import WINDOW_MS
from dp_assets.usecases.kept_lease import kept_lease
from dp_assets.usecases.maintenance.expiry_attempts import ExpiryAttempts, ExpiryDone
from dp_assets.usecases.maintenance.expiry_planning import ExpiryLooking

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.domains.maintenance.retention import Retention
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.maintenance.expiry_planning import PlannedExpiry

ATTEMPTS = 10


def expire(
    lake: Lakehouse,
    planned: PlannedExpiry,
    retention: Retention,
    *,
    now_ms: int,
    window_ms: int = WINDOW_MS,
    guard: Callable[[], None] = unguarded,
    failpoint: Callable[[str], None] = no_failpoint,
) -> ExpiryDone:
    """Carry out ``planned``, or what is left of it in the table as it is now.

    Each try starts from the table's newest metadata. No file is deleted.

    Args:
        lake: with an identity.
        planned: the most that is done.
        retention: that it was planned with.
        now_ms: of the record; its window begins then.
        window_ms: how long the files stay.
        guard: of who may maintain the table, asked right before the commit.
        failpoint: told after each durable step.

    Raises:
        TransientError: somebody holds the table, or other writers were first every time.
        PermanentError: the table is another one by now, foreign, or cannot be read.
        OutcomeUnknownError: the catalog broke off.
    """
    doing = f"expire snapshots of {planned.table}"
    identity = lake.require_identity(doing)
    with kept_lease(lake, f"table/{planned.table}", doing=doing) as beat:
        looking = ExpiryLooking(lake, planned.table, retention, now_ms=now_ms)
        run = ExpiryAttempts(
            lake,
            planned,
            looking,
            lakehouse_id=identity.lakehouse_id,
            window_ms=window_ms,
            guards=(guard, beat.check),
            failpoint=failpoint,
        )
        for _ in range(ATTEMPTS):
            if done := run.attempt():
                return done
    raise TransientError(f"{doing}: other writers were first {ATTEMPTS} times", hint=LOST_RACE)
