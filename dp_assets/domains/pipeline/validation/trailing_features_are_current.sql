-- The seven days before a day, counted again from the daily rows that are there now. A day that
-- arrived or changed later makes the next seven days due: they differ here until computed again.
WITH route AS (
    SELECT
        flight_date,
        trailing_7d_flights AS stored_flights,
        trailing_7d_on_time_share AS stored_share,
        sum(flights) OVER past AS flights,
        sum(on_time) OVER past / sum(flights) OVER past AS share
    FROM features.route_day
    WINDOW past AS (
        PARTITION BY origin, dest ORDER BY flight_date
        RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING
    )
),
carrier AS (
    SELECT
        flight_date,
        trailing_7d_flights AS stored_flights,
        trailing_7d_on_time_share AS stored_share,
        sum(flights) OVER past AS flights,
        sum(on_time) OVER past / sum(flights) OVER past AS share
    FROM features.carrier_day
    WINDOW past AS (
        PARTITION BY carrier ORDER BY flight_date
        RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING
    )
),
due AS (
    SELECT DISTINCT flight_date
    FROM (FROM route UNION ALL FROM carrier)
    ANTI JOIN (SELECT unnest(CAST($left_out AS DATE[])) AS flight_date) USING (flight_date)
    WHERE stored_flights IS DISTINCT FROM flights OR stored_share IS DISTINCT FROM share
)
SELECT
    count(*) AS observed,
    0 AS expected,
    count(*) = 0 AS passed,
    'days to compute again: '
        || array_to_string(list_slice(list(flight_date ORDER BY flight_date), 1, 10), ', ')
        AS detail
FROM due
