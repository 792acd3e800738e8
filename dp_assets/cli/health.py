"""`dp health`: what maintenance the tables need, worst first; or one table's page."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.ports.health_state import Unmeasured
    from dp_assets.ports.maintenance import TableHealth

NARROW = ("table", "burden", "files", "small", "sizes")
WIDE = (*NARROW, "mean", "size", "deletes", "manifests", "snapshots", "old")
WIDE_FROM = 130  # characters of a terminal; what is no terminal gets everything
EXPLAINED = 10


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "health",
        rich_help_panel=Panel.MAINTAIN,
        epilog=examples("dp health", "dp health raw.flights", "dp health --json"),
    )(health)


def health(
    name: Annotated[
        str, typer.Argument(metavar="TABLE", help="namespace.table; default: all, worst first.")
    ] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show what maintenance the tables need and why, from metadata only; changes nothing."""
    out = Output(json=as_json)
    if name:
        from dp_assets.cli.health_page import show_page

        show_page(out, name)
    else:
        _all(out)


def _all(out: Output) -> None:
    from dp_assets.cli.health_page import document
    from dp_assets.core.units import now_ms
    from dp_assets.domains.maintenance.sweep_plan import worst_first
    from dp_assets.lakehouse import opened
    from dp_assets.ports.health_state import Unmeasured
    from dp_assets.ports.maintenance import TableHealth
    from dp_assets.usecases.maintenance.looking import look, tables_to_look_at

    now = now_ms()
    with opened(doing="dp health") as lake:
        tables = tables_to_look_at(lake)
        unknown = sum(not tables.is_known(table) for table in tables.pointers)
        with out.progress(unknown, "measuring") as advance:
            found = look(lake, tables, now_ms=now, advance=advance)
    known = worst_first((t, h) for t, h in found.items() if isinstance(h, TableHealth))
    unmeasured = [one for one in found.values() if isinstance(one, Unmeasured)]
    if out.json:
        listed = [document(table, one, now) for table, one in known]
        out.document([*listed, *map(_problem, unmeasured)])
    else:
        _show_all(out, known, unmeasured, now)
    if unmeasured:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def is_wide() -> bool:
    """Whether there is room for every column."""
    from shutil import get_terminal_size

    return not sys.stdout.isatty() or get_terminal_size().columns >= WIDE_FROM


def _show_all(
    out: Output,
    known: "list[tuple[TableId, TableHealth]]",
    unmeasured: "list[Unmeasured]",
    now: int,
) -> None:
    from dp_assets.domains.maintenance.causes import causes, needs_maintenance
    from dp_assets.domains.maintenance.pictures import LIMIT_WORDS

    columns = WIDE if is_wide() else NARROW
    rows = [_cells(table, one) for table, one in known]
    out.table("", columns, [[row[column] for column in columns] for row in rows])
    out.line("burden: what it costs for nothing to read and to keep it, in bytes")
    out.line(f"sizes: data files {' '.join(LIMIT_WORDS)}")
    why = [(table, causes(one, now_ms=now)) for table, one in known]
    need = [(table, found) for table, found in why if needs_maintenance(found)]
    for table, found in need[:EXPLAINED]:
        name = str(table)
        out.line(f"\n{name if name.isprintable() else ascii(name)}")
        for cause in found:
            out.line(f"  {cause.text}")
    out.line(
        f"\n{len(need):,} of {len(known):,} tables need maintenance"
        + ("; 'dp health TABLE' says more" if need else "")
    )
    if unmeasured:
        out.table("\nCannot be measured", ("table", "problem"), map(_unmeasured_row, unmeasured))


def _cells(table: "TableId", one: "TableHealth") -> "dict[str, Cell]":
    from dp_assets.domains.maintenance.burden import burden_bytes
    from dp_assets.domains.maintenance.pictures import size_strip

    return {
        "table": str(table),
        "burden": cells.size(burden_bytes(one)),
        "files": cells.count(one.files),
        "small": Shown(one.small_share, f"{one.small_share:.0%}") if one.files else None,
        "sizes": size_strip(one) if one.files else None,
        "mean": cells.size(one.bytes // one.files) if one.files else None,
        "size": cells.size(one.bytes),
        "deletes": cells.count(one.delete_files),
        "manifests": cells.count(one.manifests),
        "snapshots": cells.count(one.snapshots),
        "old": cells.size(one.old_bytes),
    }


def _problem(one: "Unmeasured") -> dict[str, object]:
    return {"table": str(one.table), "pointer": one.pointer, "problem": one.problem}


def _unmeasured_row(one: "Unmeasured") -> tuple[Cell, ...]:
    return str(one.table), one.problem
