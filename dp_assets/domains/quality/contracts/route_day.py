"""``features.route_day``."""

import polars as pl

from dp_assets.domains.pipeline.derived_tables import ROUTE_DAY
from dp_assets.domains.pipeline.raw_tables import RAW_AIRPORTS
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.contracts import punctuality
from dp_assets.domains.quality.contracts.nyc import AIRPORTS
from dp_assets.domains.quality.declare import accepted, matches, rule, schema_of


def contract() -> Contract:
    """Punctuality per route and day."""
    schema = schema_of(
        ROUTE_DAY,
        not_null=(*punctuality.COUNTS, "on_time_share"),
        values={
            "origin": [accepted("origin", AIRPORTS)],
            "dest": [matches("dest", "[0-9A-Z]{3}")],
            **punctuality.VALUES,
        },
        rules=(
            *punctuality.rules(),
            rule("origin_is_not_dest", pl.col("origin") != pl.col("dest")),
        ),
    )
    return Contract(
        table=ROUTE_DAY.table,
        schema=schema,
        key_columns=ROUTE_DAY.key_columns,
        day_column=ROUTE_DAY.day_column,
        past_columns=("flight_date",),
        references={"origin": Reference(RAW_AIRPORTS.table, "faa")},
    )
