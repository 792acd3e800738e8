"""How long an operation may take by the policy of its table, and where it stops after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.core.errors import PermanentError
from dp_assets.core.units import format_bytes, format_seconds
from dp_assets.ports.maintenance import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.usecases.maintenance.maintaining import Planned


class TimeLimit:
    """Stops an operation where nothing is half done.

    A compaction stops between two groups: what is rewritten and proven is committed, so that
    every run brings it further. Any other operation is one commit or one record, and stops right
    before that. Once that was allowed nothing stops it any more: a commit that turns out to be
    wrong must be rolled back, however late it is.

    Args:
        planned: the operation; its time begins now.
        clock: milliseconds, Unix epoch.
    """

    def __init__(self, planned: Planned, clock: Callable[[], int]) -> None:
        self._planned = planned
        self._clock = clock
        self._began_ms = clock()
        self._policy = planned.policy.operations[planned.operation]
        self._groups = self._bytes = 0
        self._is_allowed = planned.operation is Operation.COMPACTION

    def before_commit(self) -> None:
        """Raises PermanentError when it took too long, and nothing was done yet."""
        if not self._is_allowed and self._is_over():
            raise self._stopped("before its commit: nothing is done, all of it is left")
        self._is_allowed = True

    def after_group(self, size_bytes: int) -> None:
        """Raises PermanentError when it took too long, and a group is left."""
        self._groups += 1
        self._bytes += size_bytes
        left = self._planned.bytes - self._bytes
        if left > 0 and self._is_over():
            groups = f"{self._groups:,} {'group' if self._groups == 1 else 'groups'}"
            done = f"{groups} of {format_bytes(self._bytes)} done, {format_bytes(left)} left"
            raise self._stopped(f"between two groups: {done}")

    def _is_over(self) -> bool:
        return self._clock() - self._began_ms > self._policy.timeout_ms

    def _stopped(self, where: str) -> PermanentError:
        operation, said = self._planned.operation, self._policy.key("timeout_minutes")
        took = format_seconds((self._clock() - self._began_ms) / 1000)
        return PermanentError(
            f"{operation} of {self._planned.table} stopped after {took} {where}; "
            f"timeout_minutes is {said.value} ({said.origin})",
            hint=f"run it again, it does what is left; or raise {operation}.timeout_minutes",
        )
