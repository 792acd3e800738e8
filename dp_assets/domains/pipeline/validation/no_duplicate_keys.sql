-- Keys that occur more than once, in every table that is computed.
WITH doubled AS (
    SELECT
        'curated.flights' AS layer,
        count(*) - count(DISTINCT (flight_date, carrier, flight, origin)) AS extra_rows
    FROM curated.flights
    UNION ALL
    SELECT 'features.route_day', count(*) - count(DISTINCT (flight_date, origin, dest))
    FROM features.route_day
    UNION ALL
    SELECT 'features.carrier_day', count(*) - count(DISTINCT (flight_date, carrier))
    FROM features.carrier_day
    UNION ALL
    SELECT 'analytics.on_time_report', count(*) - count(DISTINCT (month, carrier, origin))
    FROM analytics.on_time_report
)
SELECT
    sum(extra_rows) AS observed,
    0 AS expected,
    sum(extra_rows) = 0 AS passed,
    string_agg(layer || ': ' || extra_rows, ', ' ORDER BY layer) FILTER (extra_rows > 0) AS detail
FROM doubled
