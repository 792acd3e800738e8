"""The tables of a lakehouse as a list: whose each one is, and what all hold together."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.ports.inventory import TableFacts


class Standing(StrEnum):
    """What this product may do with a table."""

    OURS = "ours"  # written by one of our assets
    ADOPTED = "adopted"  # of others, and ours to change
    FOREIGN = "foreign"  # read, never changed
    UNKNOWN = "unknown"  # its metadata cannot be read


@dataclass(frozen=True, slots=True)
class ListTotals:
    """The sums of a listing; tables that cannot be read add nothing but themselves."""

    tables: int
    rows: int
    files: int
    bytes: int
    snapshots: int
    foreign: int
    problems: int


def standing(facts: TableFacts) -> Standing:
    """Whose table it is; nobody's word is taken for a table whose metadata is unreadable."""
    if facts.problem:
        return Standing.UNKNOWN
    if facts.writer:
        return Standing.OURS
    return Standing.ADOPTED if facts.adopted else Standing.FOREIGN


def totals(tables: Iterable[TableFacts]) -> ListTotals:
    """Everything in the listing, added up."""
    listed = tuple(tables)
    return ListTotals(
        tables=len(listed),
        rows=sum(f.rows or 0 for f in listed),
        files=sum(f.files or 0 for f in listed),
        bytes=sum(f.bytes or 0 for f in listed),
        snapshots=sum(f.snapshots or 0 for f in listed),
        foreign=sum(standing(f) is Standing.FOREIGN for f in listed),
        problems=sum(bool(f.problem) for f in listed),
    )
