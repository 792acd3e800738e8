-- Exact percentiles per airport and hour: every value of a group is held, nothing is estimated.
SELECT
    origin,
    scheduled_hour_local,
    count(*) AS flights,
    quantile_cont(dep_delay_min, [0.5, 0.9, 0.95, 0.99]) AS dep_delay_min,
    quantile_cont(arr_delay_min, [0.5, 0.9, 0.95, 0.99]) AS arr_delay_min
FROM curated.flights
GROUP BY ALL
ORDER BY ALL
