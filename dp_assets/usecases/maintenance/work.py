"""How an operation plugs in: what it would do to a table, and the doing of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dp_assets.core.guards import unguarded
from dp_assets.ports.maintenance import Conflict, Outcome

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.lakehouse import Lakehouse


Planner = Callable[["Lakehouse", "TableId", "TablePolicy", int], "Work"]


@dataclass(frozen=True, slots=True)
class Running:
    """What carrying out is told.

    Attributes:
        run_id: who runs it.
        on_bytes: told of bytes that are done.
        guard: asked right before whatever is visible or deletes; raises TransientError when the
            table is no longer this run's to maintain.
    """

    run_id: str
    on_bytes: Callable[[int], None]
    guard: Callable[[], None] = unguarded


class Done(NamedTuple):
    """How it ended.

    Attributes:
        problem: what of it was not done, and why.
        conflicts: partitions whose files somebody else changed meanwhile.
    """

    outcome: Outcome
    problem: str = ""
    conflicts: tuple[Conflict, ...] = ()


class Work(ABC):
    """What one operation would do to one table, planned at one pointer; nothing has changed."""

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""

    @property
    def bytes(self) -> int:
        """That carrying it out reads and writes anew: what an hour's budget counts."""
        return 0

    @abstractmethod
    def carry_out(self, lake: Lakehouse, policy: TablePolicy, running: Running) -> Done:
        """Do it, as far as the table has not moved from under it.

        Raises LakeError when it failed; what was committed before stays.
        """
