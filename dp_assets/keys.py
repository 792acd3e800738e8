"""Every AssetKey and PartitionsDefinition, so that domains never import each other's assets."""

import dagster as dg

FIRST_DAY = "2013-01-01"
END_DAY = "2014-01-01"
DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, end_date=END_DAY)
TABLES = dg.DynamicPartitionsDefinition(name="tables")
# "Now" by the day: the last key is today. Several points and dumps may belong to one.
POINTS = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_offset=1)

RAW_FLIGHTS = dg.AssetKey(["raw", "flights"])
RAW_WEATHER = dg.AssetKey(["raw", "weather"])
RAW_PLANES = dg.AssetKey(["raw", "planes"])
RAW_AIRPORTS = dg.AssetKey(["raw", "airports"])
RAW_AIRLINES = dg.AssetKey(["raw", "airlines"])
CURATED_FLIGHTS = dg.AssetKey(["curated", "flights"])
ROUTE_DAY = dg.AssetKey(["features", "route_day"])
CARRIER_DAY = dg.AssetKey(["features", "carrier_day"])
DAY_VERDICTS = dg.AssetKey(["quality", "day_verdicts"])
FACTS = dg.AssetKey(["ops", "facts"])
ON_TIME_REPORT = dg.AssetKey(["analytics", "on_time_report"])
VALIDATION = dg.AssetKey(["analytics", "validation"])
BENCHMARK_RESULTS = dg.AssetKey(["benchmarks", "results"])
PIPELINE_REPORT = dg.AssetKey(["reports", "pipeline"])
INVENTORY = dg.AssetKey(["lake", "inventory"])
HEALTH = dg.AssetKey(["maintenance", "health"])
EXPIRY = dg.AssetKey(["maintenance", "expiry"])
MANIFESTS = dg.AssetKey(["maintenance", "manifests"])
COMPACTION = dg.AssetKey(["maintenance", "compaction"])
ORPHANS = dg.AssetKey(["maintenance", "orphans"])
METASTORE_DUMP = dg.AssetKey(["backup", "metastore_dump"])
RECOVERY_POINT = dg.AssetKey(["backup", "recovery_point"])
VERIFICATION = dg.AssetKey(["backup", "verification"])
DRILL = dg.AssetKey(["backup", "drill"])
RETENTION = dg.AssetKey(["backup", "retention"])
REPLICA = dg.AssetKey(["backup", "replica"])


def discovered(namespace: str, name: str) -> dg.AssetKey:
    """The external asset of a table that the inventory found."""
    return dg.AssetKey(["lake", *namespace.split("."), name])
