"""``features.carrier_day``."""

from dp_assets.domains.pipeline.derived_tables import CARRIER_DAY
from dp_assets.domains.pipeline.raw_tables import RAW_AIRLINES
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.contracts import punctuality
from dp_assets.domains.quality.declare import matches, schema_of


def contract() -> Contract:
    """Punctuality per airline and day."""
    schema = schema_of(
        CARRIER_DAY,
        not_null=(*punctuality.COUNTS, "on_time_share"),
        values={"carrier": [matches("carrier", "[0-9A-Z]{2}")], **punctuality.VALUES},
        rules=punctuality.rules(),
    )
    return Contract(
        table=CARRIER_DAY.table,
        schema=schema,
        key_columns=CARRIER_DAY.key_columns,
        day_column=CARRIER_DAY.day_column,
        past_columns=("flight_date",),
        references={"carrier": Reference(RAW_AIRLINES.table, "carrier")},
    )
