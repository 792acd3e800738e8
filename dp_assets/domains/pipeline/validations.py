"""What must hold between the layers: one query of ``validation/`` per name, in words."""

from collections.abc import Mapping
from types import MappingProxyType

EXPECTATIONS: Mapping[str, str] = MappingProxyType(
    {
        "every_day_reaches_every_layer": (
            "every day of raw.flights is in curated.flights and in both features, except days "
            "left out on purpose, and these layers have no other day"
        ),
        "curated_totals_match_raw": (
            "per day, curated.flights has the flights, cancellations, tail numbers, miles and "
            "minutes of delay of raw.flights"
        ),
        "route_day_totals_match_curated": (
            "per day, features.route_day counts every flight of curated.flights once"
        ),
        "carrier_day_totals_match_curated": (
            "per day, features.carrier_day counts every flight of curated.flights once"
        ),
        "report_totals_match_curated": (
            "per month, analytics.on_time_report counts every flight of curated.flights once"
        ),
        "no_duplicate_keys": "no computed table has two rows of one key",
        "no_orphan_keys": (
            "every airline, airport of departure and time zone of a destination is known, and "
            "every row of a feature has flights"
        ),
        "shares_within_bounds": "every share is between 0 and 1",
        "times_agree_in_utc": (
            "from departure to arrival in UTC takes the time in the air and up to five hours of "
            "taxiing"
        ),
        "trailing_features_are_current": (
            "the trailing seven days of every feature row are those that are there now"
        ),
    }
)
