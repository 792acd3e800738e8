"""``raw.airlines``."""

from dp_assets.domains.pipeline.raw_tables import RAW_AIRLINES
from dp_assets.domains.quality.contract import Contract
from dp_assets.domains.quality.declare import matches, schema_of


def contract() -> Contract:
    """Airlines by code."""
    schema = schema_of(
        RAW_AIRLINES,
        not_null=("name",),
        values={"carrier": [matches("carrier", "[0-9A-Z]{2}")]},
    )
    return Contract(RAW_AIRLINES.table, schema, RAW_AIRLINES.key_columns)
