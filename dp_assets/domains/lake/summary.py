"""An inventory in figures, for people."""

from dataclasses import dataclass

from dp_assets.core.units import format_bytes
from dp_assets.domains.lake.inventory import InventoryPlan
from dp_assets.ports.inventory import Inventory, TableFacts


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tables, what changed, and what they hold together."""

    tables: int
    added: int
    gone: int
    moved: int
    foreign: int
    unreadable: int
    rows: int
    bytes: int


def count(plan: InventoryPlan, inventory: Inventory) -> Counts:
    """The counts of ``inventory``, which came out of ``plan``. Unreadable tables add no rows."""
    facts = inventory.tables.values()
    return Counts(
        tables=len(facts),
        added=len(plan.added),
        gone=len(plan.gone),
        moved=len(plan.moved),
        foreign=sum(not f.adopted for f in facts if not f.problem),
        unreadable=sum(bool(f.problem) for f in facts),
        rows=sum(f.rows or 0 for f in facts),
        bytes=sum(f.bytes or 0 for f in facts),
    )


def biggest_markdown(inventory: Inventory, *, limit: int = 10) -> str:
    """The largest tables as a markdown table, then those that cannot be read."""
    facts = inventory.tables.values()
    readable = (f for f in facts if not f.problem)
    by_size = sorted(readable, key=lambda f: (-(f.bytes or 0), f.table))[:limit]
    lines = ["| table | rows | files | size | snapshots | |", "|---|---:|---:|---:|---:|---|"]
    lines += [_markdown_line(f) for f in by_size]
    lines += [f"| {_cell(f.name)} | | | | | {_cell(f.problem)} |" for f in facts if f.problem]
    return "\n".join(lines)


def _markdown_line(facts: TableFacts) -> str:
    size = "" if facts.bytes is None else format_bytes(facts.bytes)
    kind = "" if facts.adopted else "foreign"
    numbers = (
        f"{_number(facts.rows)} | {_number(facts.files)} | {size} | {_number(facts.snapshots)}"
    )
    return f"| {_cell(facts.name)} | {numbers} | {kind} |"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
