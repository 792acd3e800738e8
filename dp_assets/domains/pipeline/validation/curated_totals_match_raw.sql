-- Per day that both hold and that was not left out: no flight lost, doubled or changed in a join.
WITH raw_day AS (
    SELECT
        flight_date,
        {
            flights: count(*),
            cancelled: count(*) FILTER (dep_time IS NULL),
            tailnums: count(tailnum),
            miles: sum(distance),
            dep_delay_min: sum(dep_delay),
            arr_delay_min: sum(arr_delay)
        } AS totals
    FROM raw.flights
    GROUP BY flight_date
),
curated_day AS (
    SELECT
        flight_date,
        {
            flights: count(*),
            cancelled: count(*) FILTER (cancelled),
            tailnums: count(tailnum),
            miles: sum(distance_miles),
            dep_delay_min: sum(dep_delay_min),
            arr_delay_min: sum(arr_delay_min)
        } AS totals
    FROM curated.flights
    GROUP BY flight_date
),
compared AS (
    SELECT
        flight_date,
        raw_day.totals AS raw,
        curated_day.totals AS curated,
        raw_day.totals IS DISTINCT FROM curated_day.totals AS differs
    FROM raw_day JOIN curated_day USING (flight_date)
    ANTI JOIN (SELECT unnest(CAST($left_out AS DATE[])) AS flight_date) USING (flight_date)
)
SELECT
    coalesce(sum(curated.flights), 0) || ' flights, '
        || coalesce(sum(curated.cancelled), 0) || ' cancelled' AS observed,
    coalesce(sum(raw.flights), 0) || ' flights, '
        || coalesce(sum(raw.cancelled), 0) || ' cancelled' AS expected,
    count(*) FILTER (differs) = 0 AS passed,
    array_to_string(
        list_slice(list(flight_date ORDER BY flight_date) FILTER (differs), 1, 10), ', '
    ) AS detail
FROM compared
