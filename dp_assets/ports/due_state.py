"""What the last looks at tables found about maintenance, so that few are looked at next time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class Decided:
    """One table that was decided about.

    Attributes:
        pointer: its metadata file then.
        at_ms: when that was.
        next_ms: when the decision may be another one although the table did not move.
    """

    pointer: str
    at_ms: int
    next_ms: int


@dataclass(frozen=True)
class DueState:
    """What is known of all tables; ``settings`` is a digest of what the decisions went by."""

    settings: str = ""
    tables: Mapping[TableId, Decided] = field(default_factory=dict[TableId, Decided])

    def is_settled(self, table: TableId, pointer: str, *, now_ms: int) -> bool:
        """Whether nothing can have changed since the last look; not when a clock was set back."""
        found = self.tables.get(table)
        return (
            found is not None and found.pointer == pointer and found.at_ms <= now_ms < found.next_ms
        )
