-- Shares outside 0 to 1, in every table that has one. A null share is only right where the seven
-- days before have no flights.
WITH share AS (
    SELECT 'features.route_day' AS layer, flight_date AS day, on_time_share AS value
    FROM features.route_day
    UNION ALL
    SELECT 'features.carrier_day', flight_date, on_time_share FROM features.carrier_day
    UNION ALL
    SELECT 'analytics.on_time_report', month, on_time_share FROM analytics.on_time_report
    UNION ALL
    SELECT 'analytics.on_time_report', month, cancelled_share FROM analytics.on_time_report
    UNION ALL
    SELECT
        'features.route_day',
        flight_date,
        unnest([trailing_7d_on_time_share, trailing_7d_cancelled_share])
    FROM features.route_day WHERE trailing_7d_days > 0
    UNION ALL
    SELECT
        'features.carrier_day',
        flight_date,
        unnest([trailing_7d_on_time_share, trailing_7d_cancelled_share])
    FROM features.carrier_day WHERE trailing_7d_days > 0
),
-- NaN sorts above every number in DuckDB, so BETWEEN refuses it too
outside AS (SELECT * FROM share WHERE value IS NULL OR NOT value BETWEEN 0 AND 1)
SELECT
    count(*) AS observed,
    0 AS expected,
    count(*) = 0 AS passed,
    array_to_string(
        list_slice(list(layer || ' ' || day || ': ' || coalesce(value::VARCHAR, 'null')
            ORDER BY layer, day), 1, 10),
        ', '
    ) AS detail
FROM outside
