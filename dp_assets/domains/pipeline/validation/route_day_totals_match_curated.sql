-- Per day that both hold and that was not left out: features.route_day counts every flight once.
WITH curated_day AS (
    SELECT
        flight_date,
        {
            flights: count(*),
            cancelled: count(*) FILTER (cancelled),
            diverted: count(*) FILTER (diverted),
            on_time: count(*) FILTER (arr_delay_min < 15)
        } AS totals
    FROM curated.flights
    GROUP BY flight_date
),
feature_day AS (
    SELECT
        flight_date,
        {
            flights: sum(flights),
            cancelled: sum(cancelled),
            diverted: sum(diverted),
            on_time: sum(on_time)
        } AS totals
    FROM features.route_day
    GROUP BY flight_date
),
compared AS (
    SELECT
        flight_date,
        curated_day.totals AS curated,
        feature_day.totals AS feature,
        curated_day.totals IS DISTINCT FROM feature_day.totals AS differs
    FROM curated_day JOIN feature_day USING (flight_date)
    ANTI JOIN (SELECT unnest(CAST($left_out AS DATE[])) AS flight_date) USING (flight_date)
)
SELECT
    coalesce(sum(feature.flights), 0) || ' flights, '
        || coalesce(sum(feature.on_time), 0) || ' on time' AS observed,
    coalesce(sum(curated.flights), 0) || ' flights, '
        || coalesce(sum(curated.on_time), 0) || ' on time' AS expected,
    count(*) FILTER (differs) = 0 AS passed,
    array_to_string(
        list_slice(list(flight_date ORDER BY flight_date) FILTER (differs), 1, 10), ', '
    ) AS detail
FROM compared
