"""`dp init`: a lakehouse where there is none."""

from collections.abc import Sequence
from typing import Annotated

import typer

from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.output import JsonFlag, Output, Panel, examples


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "init",
        rich_help_panel=Panel.SET_UP,
        epilog=examples("dp init", "dp init --new-identity"),
    )(init)


def init(
    *,
    origin: Annotated[
        str, typer.Option(help="Why it was made, e.g. demo: only a demo may be damaged on purpose.")
    ] = "",
    new_identity: Annotated[
        bool, typer.Option("--new-identity", help="This is a copy; make it a lakehouse of its own.")
    ] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make the lakehouse that lakehouse.yaml describes; harmless when it is there."""
    from dp_assets.settings import load_settings
    from dp_assets.usecases.initialising import initialise, shared_with_original

    out = Output(json=as_json)
    settings = load_settings()
    if new_identity:
        confirm(_question(shared_with_original(settings)), yes=yes)
    done = initialise(settings, origin=origin, new_identity=new_identity)
    for made in done.made:
        out.line(f"made {made}")
    if not done.made:
        out.line("the lakehouse is there already; nothing was changed")
    if origin and origin != done.identity.origin:
        out.line(f"its origin stays {done.identity.origin!r}, as recorded when it was made")
    out.line("")
    facts = {
        "lakehouse": done.identity.lakehouse_id,
        "origin": done.identity.origin or None,
        "catalog": done.identity.place.catalog_address,
        "warehouse": done.identity.place.warehouse,
        "state": str(settings.state_dir),
        "DAGSTER_HOME": str(settings.dagster_home),
    }
    if as_json:
        out.document({**facts, "made": list(done.made)})
    else:
        out.facts(facts)


def _question(shared: Sequence[object]) -> str:
    if not shared:
        return "give this copy an identity of its own?"
    return (
        f"{len(shared)} tables of this copy, {shared[0]} the first, still have their files in the "
        "original's warehouse: is the original gone for good, and this one to own them?"
    )
