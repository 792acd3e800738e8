"""A lease of the lakehouse for work that may take longer than the lease lives."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.heartbeat import renewed
from dp_assets.core.units import now_ms

if TYPE_CHECKING:
    from collections.abc import Generator

    from dp_assets.adapters.recovery.heartbeat import Heartbeat
    from dp_assets.lakehouse import Lakehouse


@contextmanager
def kept_lease(lake: Lakehouse, name: str, *, doing: str) -> Generator[Heartbeat, None, None]:
    """Hold the lease ``name`` for the length of a block, renewed until its end.

    What is yielded is asked right before every commit and deletion: it raises TransientError when
    the lease was lost.

    Raises TransientError when somebody else holds it.
    """
    ttl_ms = lake.settings.leases.ttl_seconds * 1000
    with (
        lake.lease(name, doing=doing) as lease,
        renewed(lake.leases, lease, ttl_ms=ttl_ms, now_ms=now_ms) as heartbeat,
    ):
        yield heartbeat
