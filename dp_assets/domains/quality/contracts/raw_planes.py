"""``raw.planes``."""

from dp_assets.domains.pipeline.raw_tables import RAW_PLANES
from dp_assets.domains.quality.contract import Contract
from dp_assets.domains.quality.declare import accepted, in_range, matches, schema_of

_TYPES = ("Fixed wing multi engine", "Fixed wing single engine", "Rotorcraft")


def contract() -> Contract:
    """Aircraft by tail number. Year and speed are not always registered."""
    schema = schema_of(
        RAW_PLANES,
        not_null=("type", "manufacturer", "model", "engines", "seats", "engine"),
        values={
            "tailnum": [matches("tailnum", "N[0-9A-Z]{1,5}")],
            "year": [in_range("year", 1903, 2100)],
            "type": [accepted("type", _TYPES)],
            "engines": [in_range("engines", 1, 8)],
            "seats": [in_range("seats", 1, 900)],
            "speed": [in_range("speed", 1, 2000)],
        },
    )
    return Contract(RAW_PLANES.table, schema, RAW_PLANES.key_columns)
