"""Every table the pipeline writes, in the order it writes them."""

from dp_assets.domains.pipeline.derived_tables import (
    CARRIER_DAY,
    CURATED_FLIGHTS,
    ON_TIME_REPORT,
    ROUTE_DAY,
    VALIDATION,
)
from dp_assets.domains.pipeline.raw_tables import (
    RAW_AIRLINES,
    RAW_AIRPORTS,
    RAW_FLIGHTS,
    RAW_PLANES,
    RAW_WEATHER,
)
from dp_assets.ports.tables import TableSpec

ALL: tuple[TableSpec, ...] = (
    RAW_FLIGHTS,
    RAW_WEATHER,
    RAW_PLANES,
    RAW_AIRPORTS,
    RAW_AIRLINES,
    CURATED_FLIGHTS,
    ROUTE_DAY,
    CARRIER_DAY,
    ON_TIME_REPORT,
    VALIDATION,
)
