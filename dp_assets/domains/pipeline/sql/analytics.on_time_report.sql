-- analytics.on_time_report: everything in curated.flights per month, airline and airport of
-- departure. From the flights, not from the daily features: quantiles do not add up.
WITH monthly AS (
    SELECT
        CAST(date_trunc('month', flight_date) AS DATE) AS month,
        carrier,
        origin,
        max(carrier_name) AS carrier_name,
        count(DISTINCT flight_date) AS days,
        count(*) AS flights,
        count(*) FILTER (cancelled) AS cancelled,
        count(*) FILTER (diverted) AS diverted,
        count(*) FILTER (arr_delay_min < 15) AS on_time,
        avg(dep_delay_min) AS dep_delay_mean_min,
        avg(arr_delay_min) AS arr_delay_mean_min,
        quantile_cont(arr_delay_min, [0.5, 0.9, 0.95]) AS arr_delay
    FROM curated.flights
    GROUP BY ALL
)
SELECT
    * EXCLUDE (arr_delay),
    on_time / flights AS on_time_share,
    cancelled / flights AS cancelled_share,
    arr_delay[1] AS arr_delay_p50_min,
    arr_delay[2] AS arr_delay_p90_min,
    arr_delay[3] AS arr_delay_p95_min
FROM monthly
