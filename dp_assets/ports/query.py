"""A query's result on its way to a person or a file: every value as exact text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the text of a value is to be read."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    NESTED = "nested"  # the text is JSON
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of the result."""

    name: str
    kind: Kind


Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Result:
    """Rows as they are computed; ``batches`` can be read once.

    Texts: dates as ISO 8601; times with a zone in UTC with ``Z``; floats in the fewest digits that
    are the same number; NaN, Infinity and -Infinity by these words; bytes as hexadecimal digits.
    """

    columns: tuple[ResultColumn, ...]
    batches: Iterator[Sequence[Row]]
