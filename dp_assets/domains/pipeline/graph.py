"""What each table of the pipeline reads, and whose verdict decides its days."""

from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline import tables
from dp_assets.domains.pipeline.daily import DailyTable
from dp_assets.ports.tables import TableSpec

DIMENSIONS = (tables.RAW_PLANES, tables.RAW_AIRPORTS, tables.RAW_AIRLINES)

RAW_FLIGHTS = DailyTable(tables.RAW_FLIGHTS)
RAW_WEATHER = DailyTable(tables.RAW_WEATHER)
CURATED_FLIGHTS = DailyTable(
    tables.CURATED_FLIGHTS,
    gates=(tables.RAW_FLIGHTS, tables.RAW_WEATHER),
    reads=(
        tables.RAW_FLIGHTS.table,
        tables.RAW_WEATHER.table,
        *(spec.table for spec in DIMENSIONS),
    ),
)
ROUTE_DAY = DailyTable(
    tables.ROUTE_DAY, gates=(tables.CURATED_FLIGHTS,), reads=(tables.CURATED_FLIGHTS.table,)
)
CARRIER_DAY = DailyTable(
    tables.CARRIER_DAY, gates=(tables.CURATED_FLIGHTS,), reads=(tables.CURATED_FLIGHTS.table,)
)
DAILY = (RAW_FLIGHTS, RAW_WEATHER, CURATED_FLIGHTS, ROUTE_DAY, CARRIER_DAY)
REPORT_READS = tuple(d.spec.table for d in DAILY) + tuple(s.table for s in DIMENSIONS)


def spec_for(table: TableId) -> TableSpec:
    """The declaration of one of the pipeline's tables. Raises KeyError for any other."""
    return {spec.table: spec for spec in tables.ALL}[table]
