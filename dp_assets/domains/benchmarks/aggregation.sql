-- One full scan of the widest table, grouped by month and airline.
SELECT
    date_trunc('month', flight_date) AS month,
    carrier,
    count(*) AS flights,
    count(*) FILTER (cancelled) AS cancelled,
    count(*) FILTER (arr_delay_min < 15) / count(*) AS on_time_share,
    avg(dep_delay_min) AS dep_delay_mean_min,
    sum(distance_miles) AS distance_miles
FROM curated.flights
GROUP BY ALL
ORDER BY ALL
