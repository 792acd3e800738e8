-- Per month: the report counts every flight once, and covers the same months.
WITH curated_month AS (
    SELECT
        CAST(date_trunc('month', flight_date) AS DATE) AS month,
        {
            flights: count(*),
            cancelled: count(*) FILTER (cancelled),
            diverted: count(*) FILTER (diverted),
            on_time: count(*) FILTER (arr_delay_min < 15)
        } AS totals
    FROM curated.flights
    GROUP BY 1
),
report_month AS (
    SELECT
        month,
        {
            flights: sum(flights),
            cancelled: sum(cancelled),
            diverted: sum(diverted),
            on_time: sum(on_time)
        } AS totals
    FROM analytics.on_time_report
    GROUP BY month
),
compared AS (
    SELECT
        month,
        curated_month.totals AS curated,
        report_month.totals AS report,
        curated_month.totals IS DISTINCT FROM report_month.totals AS differs
    FROM curated_month FULL JOIN report_month USING (month)
)
SELECT
    coalesce(sum(report.flights), 0) || ' flights, '
        || coalesce(sum(report.on_time), 0) || ' on time' AS observed,
    coalesce(sum(curated.flights), 0) || ' flights, '
        || coalesce(sum(curated.on_time), 0) || ' on time' AS expected,
    count(*) FILTER (differs) = 0 AS passed,
    array_to_string(
        list_slice(list(strftime(month, '%Y-%m') ORDER BY month) FILTER (differs), 1, 10), ', '
    ) AS detail
FROM compared
