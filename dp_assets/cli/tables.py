"""`dp tables`: everything in the lakehouse, one line each."""

from typing import TYPE_CHECKING

import typer

from dp_assets.cli import cells
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, examples

if TYPE_CHECKING:
    from dp_assets.ports.inventory import TableFacts

COLUMNS = ("table", "rows", "files", "size", "snapshots", "last commit", "format", "is", "problem")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "tables", rich_help_panel=Panel.LOOK, epilog=examples("dp tables", "dp tables --json")
    )(tables)


def tables(*, as_json: JsonFlag = False) -> None:
    """List every table of the catalog: rows, files, size, last commit, whose it is."""
    from dp_assets.core.units import format_bytes
    from dp_assets.domains.lake.listing import totals
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.listing import list_facts

    out = Output(json=as_json)
    with opened(doing="dp tables") as lake:
        listed = list_facts(lake)
    shown = any(facts.problem for facts in listed) or as_json
    columns = COLUMNS if shown else COLUMNS[:-1]
    out.table("", columns, [_row(facts)[: len(columns)] for facts in listed])
    found = totals(listed)
    out.line(
        f"\n{_plural(found.tables, 'table')}, {_plural(found.rows, 'row')}, "
        f"{_plural(found.files, 'file')}, {format_bytes(found.bytes)}, "
        f"{_plural(found.snapshots, 'snapshot')}; {found.foreign} foreign"
        + (f"; {found.problems} cannot be read: 'dp doctor' says more" if found.problems else "")
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _row(facts: "TableFacts") -> tuple[Cell, ...]:
    from dp_assets.domains.lake.listing import standing

    return (
        facts.name,
        cells.count(facts.rows),
        cells.count(facts.files),
        cells.size(facts.bytes),
        cells.count(facts.snapshots),
        cells.time(facts.last_commit_ms),
        facts.format_version,
        standing(facts).value,
        facts.problem or None,
    )
