"""``raw.airports``."""

from dp_assets.domains.pipeline.raw_tables import RAW_AIRPORTS
from dp_assets.domains.quality.contract import Contract
from dp_assets.domains.quality.declare import accepted, in_range, matches, schema_of


def contract() -> Contract:
    """Airports by FAA code, with the time zones that curated times are computed from."""
    schema = schema_of(
        RAW_AIRPORTS,
        not_null=("name", "lat", "lon", "alt", "tz", "dst", "tzone"),
        values={
            "faa": [matches("faa", "[0-9A-Z]{3}")],
            "lat": [in_range("lat", -90, 90)],
            "lon": [in_range("lon", -180, 180)],
            "alt": [in_range("alt", -1500, 20_000)],
            "tz": [in_range("tz", -12, 14)],
            "dst": [accepted("dst", ("A", "N", "U"))],
            "tzone": [matches("tzone", "[A-Za-z_]+(/[A-Za-z_]+)+")],
        },
    )
    return Contract(
        RAW_AIRPORTS.table,
        schema,
        RAW_AIRPORTS.key_columns,
        tolerances={"tzone_not_null": 0.01},  # 3 of 1,458 airports, none of them a destination
    )
