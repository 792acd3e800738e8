"""The report page."""

from pathlib import Path

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import format_bytes
from dp_assets.failures import step_boundary
from dp_assets.orchestration.resources import LakehouseResource


@dg.asset(
    key=keys.PIPELINE_REPORT,
    deps=[keys.VALIDATION, keys.FACTS, keys.ON_TIME_REPORT, keys.INVENTORY],
    group_name="reports",
    kinds={"html"},
    owners=["team:lakehouse"],
)
def pipeline(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """What arrived, what the checks found, how punctual it was, how fast the tables answer.

    One HTML page that needs no other file and no network, and the same as Markdown and JSON.
    """
    from dp_assets.usecases.reporting import write

    with step_boundary(), house.open() as lake:
        files = write(lake, run_id=context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "in_short": dg.MetadataValue.md(_head(files.markdown)),
            # Paths, not links: a browser opens no file:// from a page that came over http.
            "page": dg.MetadataValue.path(str(files.html)),
            "markdown": dg.MetadataValue.path(str(files.markdown)),
            "json": dg.MetadataValue.path(str(files.json)),
            "page_size": format_bytes(files.html.stat().st_size),
        }
    )


def _head(markdown: Path) -> str:
    """The verdict and the numbers: what is between the title and the first section."""
    _title, _, text = markdown.read_text(encoding="utf-8").partition("\n")
    return text.partition("\n## ")[0].strip()
