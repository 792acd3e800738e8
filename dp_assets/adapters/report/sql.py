"""The aggregates of the report; on time is what `curated.flights` and BTS call on time."""

# ruff: noqa: S608 - the only thing put into these texts is a constant of this file.

_COUNTS = """count(*)::BIGINT AS flights,
    count(*) FILTER (cancelled)::BIGINT AS cancelled,
    count(*) FILTER (arr_delay_min < 15) / count(*) AS on_time_share,
    median(arr_delay_min)::DOUBLE AS median_delay_minutes"""

DAY_COLUMNS = """
SELECT table_schema || '.' || table_name, arg_min(column_name, ordinal_position)
FROM information_schema.columns
WHERE table_schema IN ('raw', 'curated', 'features') AND data_type = 'DATE'
GROUP BY table_schema, table_name
ORDER BY list_position(['raw', 'curated', 'features'], table_schema), table_name
"""

VIEWS = "SELECT table_schema || '.' || table_name FROM information_schema.tables"

NEWEST_CHECKS = """
SELECT "table", partition, "check", severity, passed, failing_rows, total_rows,
    observed, allowed, issues
FROM ops.data_quality_results
QUALIFY row_number() OVER (
    PARTITION BY "table", partition, "check" ORDER BY check_time DESC, run_id DESC) = 1
ORDER BY list_position(['raw', 'curated', 'features', 'analytics'], split_part("table", '.', 1))
    NULLS LAST, "table", partition, "check"
"""

TOTAL = f"SELECT 'all', 'all', {_COUNTS} FROM curated.flights"

DAYS = f"""
SELECT strftime(flight_date, '%Y-%m-%d') AS name, name AS label, {_COUNTS}
FROM curated.flights GROUP BY flight_date ORDER BY flight_date
"""

TRAILING = """
SELECT (sum(on_time) OVER past / sum(flights) OVER past)::DOUBLE
FROM (
    SELECT flight_date, count(*) AS flights, count(*) FILTER (arr_delay_min < 15) AS on_time
    FROM curated.flights GROUP BY flight_date
)
WINDOW past AS (
    ORDER BY flight_date RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING)
ORDER BY flight_date
"""

MONTHS = f"""
SELECT strftime(flight_date, '%Y-%m') AS name, name AS label, {_COUNTS}
FROM curated.flights GROUP BY name ORDER BY name
"""

# One flight at one in the morning would be the worst hour of the year: ten at least.
HOURS = """
SELECT isodow(flight_date)::INTEGER AS weekday, scheduled_hour_local AS hour,
    count(*)::BIGINT AS flights, count(*) FILTER (arr_delay_min < 15) / count(*)
FROM curated.flights GROUP BY weekday, hour HAVING flights >= 10 ORDER BY weekday, hour
"""

# A route needs a flight on most days, and ten at least, before its share says something.
ROUTES = f"""
SELECT origin || '-' || dest AS name, origin || ' → ' || dest AS label, {_COUNTS}
FROM curated.flights GROUP BY origin, dest
HAVING flights >= greatest(10, (SELECT count(DISTINCT flight_date) FROM curated.flights) / 2)
ORDER BY on_time_share DESC, flights DESC, name
"""

CARRIERS = f"""
SELECT carrier AS name, coalesce(max(carrier_name), carrier) AS label, {_COUNTS}
FROM curated.flights GROUP BY carrier ORDER BY on_time_share DESC, carrier
"""

BENCHMARKS = """
SELECT run_id, epoch_ms(measured_at) AS measured_at_ms, machine, query, verdict, median_seconds,
    min_seconds, max_seconds, expected_seconds, repeats, rows, error
FROM ops.benchmark_results WHERE complete ORDER BY measured_at, run_id, expected_seconds, query
"""

INTERRUPTED = "SELECT count(DISTINCT run_id) FROM ops.benchmark_results WHERE NOT complete"

VALIDATIONS = """
SELECT name, passed, coalesce(expectation, ''), coalesce(observed, ''), coalesce(expected, '')
FROM analytics.validation ORDER BY passed, name
"""

# The newest ones only: a lakehouse that is backed up every hour has thousands.
RECOVERY_ATTEMPTS = """
SELECT kind, point, epoch_ms(started_at), seconds, bytes, copied_bytes, complete,
    coalesce(problem, '')
FROM (SELECT * FROM ops.recovery_points ORDER BY started_at DESC, kind, run_id LIMIT 60)
ORDER BY started_at, kind DESC, run_id
"""

# What had nothing to do is most of a journal, and says nothing here.
JOURNAL = """
SELECT "table", operation, outcome, epoch_ms(started_at), seconds, before, after,
    coalesce(problem, '')
FROM (
    SELECT * FROM ops.journal WHERE outcome <> 'nothing to do'
    ORDER BY started_at DESC, "table", operation LIMIT 200
)
ORDER BY started_at, "table", operation
"""

QUERIES_AROUND = """
WITH runs AS (
    SELECT run_id, measured_at, any_value(machine) AS machine FROM ops.benchmark_results
    WHERE complete GROUP BY run_id, measured_at
),
earlier AS (
    SELECT * FROM runs WHERE epoch_ms(measured_at) < ? ORDER BY measured_at DESC LIMIT 1
),
later AS (
    SELECT runs.* FROM runs JOIN earlier USING (machine)
    WHERE epoch_ms(runs.measured_at) >= ? ORDER BY runs.measured_at LIMIT 1
),
medians AS (SELECT run_id, measured_at, query, median_seconds FROM ops.benchmark_results)
SELECT a.query, a.median_seconds, b.median_seconds
FROM earlier JOIN medians a USING (run_id, measured_at),
    later JOIN medians b USING (run_id, measured_at)
WHERE a.query = b.query AND a.median_seconds IS NOT NULL AND b.median_seconds IS NOT NULL
ORDER BY a.query
"""

IN_NEED = """
SELECT "table", burden_bytes, split_part(causes, chr(10), 1)
FROM ops.table_health
WHERE problem IS NULL
QUALIFY row_number() OVER (PARTITION BY "table" ORDER BY measured_at DESC) = 1
    AND causes IS NOT NULL
ORDER BY burden_bytes DESC, "table" LIMIT 10
"""
