"""One operation of maintenance on a table at a time, on all machines together.

Two at once would do no harm, for each judges the table anew at its commit, but the second one's
work would be wasted. So an operation holds ``maintenance/<table>`` from its begin to its end; the
table's own lease is taken only for the commit, so that writers go on meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dp_assets.adapters.lease_owner import owner_text
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.heartbeat import renewed
from dp_assets.core.errors import LakeError, TransientError
from dp_assets.core.units import iso_utc
from dp_assets.core.units import now_ms as clock_ms
from dp_assets.domains.maintenance.blockers import MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.leases import Lease


@contextmanager
def alone(
    lake: Lakehouse, table: TableId, *, doing: str
) -> Generator[Callable[[], None], None, None]:
    """Maintain ``table`` alone for the length of a block.

    Gives the guard that is asked right before every commit and every batch of deletions: it raises
    TransientError when the lease is lost.

    Raises TransientError at once when somebody else maintains the table, and says who.
    """
    ttl_ms = lake.settings.leases.ttl_seconds * 1000
    lease = _acquired(lake, table, doing=doing, ttl_ms=ttl_ms)
    try:
        with renewed(lake.leases, lease, ttl_ms=ttl_ms, now_ms=clock_ms) as beat:
            yield beat.check
    finally:
        # As in `held_lease`: what cannot be released is somebody else's, or ends at its expiry.
        with suppress(LakeError):
            lake.leases.release(lease)


def contention(lake: Lakehouse, table: TableId, planned_at: str) -> str:
    """What to say when ``table`` is no longer at the metadata file it was planned at; else ""."""
    if existing_pointer(lake.catalog, table) == planned_at:
        return ""
    return (
        f"another writer committed to {table} while this was planned; "
        "what it changed is left out, the rest is done"
    )


def _acquired(lake: Lakehouse, table: TableId, *, doing: str, ttl_ms: int) -> Lease:
    name = f"{MAINTENANCE}{table}"
    try:
        return lake.leases.acquire(name, owner=owner_text(doing), ttl_ms=ttl_ms, wait_ms=0)
    except TransientError as error:
        holder = next((one for one in lake.leases.held() if one.name == name), None)
        if holder is None:
            raise
        raise TransientError(
            f"{table} is being maintained by {holder.owner} until {iso_utc(holder.expires_at_ms)}",
            hint="run it again when that has ended; if it was killed, its lease ends at that time",
        ) from error
