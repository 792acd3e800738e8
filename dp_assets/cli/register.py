"""`dp register` and `dp adopt`: tables that others made."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.output import JsonFlag, Output, Panel, examples

if TYPE_CHECKING:
    from dp_assets.ports.inventory import TableFacts


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "register",
        rich_help_panel=Panel.CHANGE,
        epilog=examples("dp register /data/orders/metadata/00012-3f.metadata.json shop.orders"),
    )(register_table)
    app.command(
        "adopt",
        rich_help_panel=Panel.CHANGE,
        epilog=examples("dp adopt shop.orders", "dp adopt shop.orders --yes"),
    )(adopt_table)


def register_table(
    metadata: Annotated[str, typer.Argument(help="Path or URI of its newest *.metadata.json.")],
    name: Annotated[str, typer.Argument(help="namespace.table, as it is to be called here")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Make a table that exists known here; it is read, and not changed until adopted."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.registering import register as register_here

    out = Output(json=as_json)
    with opened(doing="dp register") as lake:
        facts = register_here(lake, metadata, name)
    out.line(f"registered {facts.name}: {_size(facts)}")
    if facts.adopted:
        out.line("it was this lakehouse's own, and is so again")
    else:
        out.line(f"it is foreign: read and never changed, until 'dp adopt {facts.name}'")
    out.document(_document(facts, adopted=facts.adopted))


def adopt_table(
    name: Annotated[str, typer.Argument(help="namespace.table")],
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a foreign table ours to change: maintenance and pipelines may then write it."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.registering import adopt, adoptable

    out = Output(json=as_json)
    with opened(doing="dp adopt") as lake:
        facts = adoptable(lake, name)
        if not facts.adopted:
            confirm(
                f"{facts.name} ({_size(facts)}) in {facts.location}: from now on its files may be "
                "rewritten and deleted here, and no other catalog may change it. Adopt it?",
                yes=yes,
            )
            adopt(lake, facts.table)
    out.line(f"{facts.name} {'was adopted already' if facts.adopted else 'is adopted'}")
    out.document(_document(facts, adopted=True))


def _size(facts: "TableFacts") -> str:
    from dp_assets.core.units import format_bytes

    size = format_bytes(facts.bytes or 0)
    return f"{facts.rows or 0:,} rows, {facts.files or 0:,} files, {size}"


def _document(facts: "TableFacts", *, adopted: bool) -> dict[str, object]:
    return {
        "table": facts.name,
        "adopted": adopted,
        "format": facts.format_version,
        "rows": facts.rows,
        "files": facts.files,
        "size": facts.bytes,
        "location": facts.location,
        "metadata": facts.metadata_location,
    }
