"""The resources every domain shares."""

import dagster as dg

from dp_assets.orchestration.resources import LakehouseResource


@dg.definitions
def resources() -> dg.Definitions:
    """``house``: the lakehouse."""
    return dg.Definitions(resources={"house": LakehouseResource()})
