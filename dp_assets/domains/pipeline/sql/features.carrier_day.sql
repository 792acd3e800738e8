-- features.carrier_day for $days, with the seven days before each. The window goes by date, not by
-- row: a day without flights is a gap, and no day looks at itself.
WITH daily AS (
    SELECT
        flight_date,
        carrier,
        count(*) AS flights,
        count(*) FILTER (cancelled) AS cancelled,
        count(*) FILTER (diverted) AS diverted,
        count(*) FILTER (arr_delay_min < 15) AS on_time,
        avg(dep_delay_min) AS dep_delay_mean_min,
        avg(arr_delay_min) AS arr_delay_mean_min,
        quantile_cont(arr_delay_min, [0.5, 0.9, 0.95]) AS arr_delay,
        count(arr_delay_min) AS arrived,
        sum(arr_delay_min) AS arr_delay_sum_min
    FROM curated.flights
    WHERE flight_date BETWEEN list_min($days) - 7 AND list_max($days)
    GROUP BY ALL
),
with_past AS (
    SELECT
        *,
        count(*) OVER past AS past_days,
        sum(flights) OVER past AS past_flights,
        sum(on_time) OVER past AS past_on_time,
        sum(cancelled) OVER past AS past_cancelled,
        sum(arrived) OVER past AS past_arrived,
        sum(arr_delay_sum_min) OVER past AS past_arr_delay_sum_min
    FROM daily
    WINDOW past AS (
        PARTITION BY carrier ORDER BY flight_date
        RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING
    )
)
SELECT
    flight_date,
    carrier,
    flights,
    cancelled,
    diverted,
    on_time,
    on_time / flights AS on_time_share,
    dep_delay_mean_min,
    arr_delay_mean_min,
    arr_delay[1] AS arr_delay_p50_min,
    arr_delay[2] AS arr_delay_p90_min,
    arr_delay[3] AS arr_delay_p95_min,
    past_days AS trailing_7d_days,
    past_flights AS trailing_7d_flights,
    past_on_time / past_flights AS trailing_7d_on_time_share,
    past_cancelled / past_flights AS trailing_7d_cancelled_share,
    -- x / 0 is null in DuckDB: flights on those days, and none of them arrived
    past_arr_delay_sum_min / past_arrived AS trailing_7d_arr_delay_mean_min
FROM with_past
WHERE flight_date IN (SELECT unnest($days))
