"""What to do when a file vanishes while it is copied: other engines expire snapshots meanwhile.

An expiry moves the table's pointer before it deletes. So a file that is gone under a pointer that
has moved is a normal case: the whole cut is taken again, for it must stay one moment of all
tables. A file that is gone under a pointer that still stands is lost, and the table is damaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dp_assets.core.ids import TableId

MAX_RESTARTS = 3


@dataclass(frozen=True, slots=True)
class AfterPass:
    """What follows a pass over all tables.

    Attributes:
        damaged: tables that miss files which their current metadata still needs.
        moved: tables whose state at the cut is gone; they need a later one.
        restart: take a new cut of all tables; else each of ``moved`` is taken alone, and skewed.
    """

    damaged: tuple[TableId, ...]
    moved: tuple[TableId, ...]
    restart: bool

    @property
    def is_done(self) -> bool:
        """Nothing is left to be taken again."""
        return not self.moved


def after_pass(
    vanished: Mapping[TableId, str], now: Mapping[TableId, str | None], *, restarts: int
) -> AfterPass:
    """Judge the tables that missed a file.

    Args:
        vanished: table -> pointer whose files were incomplete.
        now: table -> pointer as the catalog says afterwards; None where it was dropped.
        restarts: how often the cut was taken again so far.
    """
    moved = tuple(sorted(t for t, pointer in vanished.items() if now.get(t) != pointer))
    damaged = tuple(sorted(vanished.keys() - set(moved)))
    return AfterPass(damaged, moved, restart=bool(moved) and restarts < MAX_RESTARTS)
