"""`dp status`: what ran last, what its checks said, what is due and what is late."""

from typing import TYPE_CHECKING

import typer

from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from dp_assets.orchestration.status import AssetStatus


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status", rich_help_panel=Panel.LOOK, epilog=examples("dp status"))(status)


def status(*, as_json: JsonFlag = False) -> None:
    """Show the last materialization and check of everything, what is due, what is late.

    Ends with 1 when the last check of something failed.
    """
    from dp_assets.core.units import now_ms
    from dp_assets.orchestration.status import read_status
    from dp_assets.settings import load_settings

    out = Output(json=as_json)
    found = read_status(load_settings(), now_ms=now_ms())
    columns = ("asset", "last made (UTC)", "partitions", "checks", "state")
    out.table("", columns, [_row(asset) for asset in found.assets])
    out.line(f"\ndue: {found.due}")
    if any(asset.refused for asset in found.assets):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _row(asset: "AssetStatus") -> tuple[str, str, Shown, str, str]:
    partitions = Shown(asset.made, f"{asset.made} of {asset.of}" if asset.of else "-")
    return asset.key, asset.last_made or "never", partitions, asset.checks, asset.state
