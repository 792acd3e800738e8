"""Timed queries: what is asked, and what one of them measured."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """A named query on the finished tables; its name is the key of its history."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One query, measured: the wall seconds of every repeat, in the order they ran.

    Attributes:
        expected_seconds: what the settings allow the median to be.
        seconds: empty when the query raised, then ``error`` says why.
        rows: rows the query returned; None when it raised.
    """

    query: str
    expected_seconds: float
    seconds: tuple[float, ...] = ()
    rows: int | None = None
    error: str | None = None

    @property
    def median_seconds(self) -> float | None:
        """The number that is judged and compared; None when the query raised."""
        return median(self.seconds) if self.seconds else None

    @property
    def min_seconds(self) -> float | None:
        """The fastest repeat."""
        return min(self.seconds, default=None)

    @property
    def max_seconds(self) -> float | None:
        """The slowest repeat."""
        return max(self.seconds, default=None)
