"""What an engine says of a snapshot that it has read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Engine(StrEnum):
    """Who reads."""

    PYICEBERG = "PyIceberg"
    DUCKDB = "DuckDB"


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot as one engine read it.

    Attributes:
        content: ``<function and version>:<sum of row hashes>``; comparable with the same only.
        nulls: column -> rows without a value.
        refused: why this engine cannot read such a table; nothing was read then.
        failed: why reading failed although this engine can read such tables.
    """

    engine: Engine
    rows: int = 0
    content: str = ""
    nulls: Mapping[str, int] = field(default_factory=dict[str, int])
    refused: str = ""
    failed: str = ""

    @property
    def is_read(self) -> bool:
        """Whether there is something to compare."""
        return not self.refused and not self.failed
