"""What the last sweeps know of every table's health, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dp_assets.core.ids import TableId
from dp_assets.ports.maintenance import TableHealth


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A table whose metadata could not be read at ``pointer``, and why."""

    table: TableId
    pointer: str
    at_ms: int
    problem: str


Measured = TableHealth | Unmeasured


@dataclass(frozen=True, slots=True)
class HealthState:
    """Every table that was looked at; ``swept_at_ms`` is None before the first sweep."""

    tables: Mapping[TableId, Measured] = field(default_factory=dict[TableId, Measured])
    swept_at_ms: int | None = None
