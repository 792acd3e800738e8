-- Gate to gate in UTC is the time in the air plus taxiing: 5 to 235 minutes in 2013. A wrong time
-- zone or date is off by an hour or a day, so 0 to 300 catches nearly all of them.
WITH taxi AS (
    SELECT
        flight_date,
        carrier,
        flight,
        origin,
        dest,
        date_diff('minute', actual_departure_utc, actual_arrival_utc) - air_time_min AS minutes
    FROM curated.flights
    WHERE air_time_min IS NOT NULL
),
odd AS (
    SELECT flight_date, carrier || flight || ' ' || origin || '-' || dest AS name, minutes
    FROM taxi
    WHERE minutes IS NULL OR NOT minutes BETWEEN 0 AND 300
)
SELECT
    count(*) AS observed,
    0 AS expected,
    count(*) = 0 AS passed,
    array_to_string(
        list_slice(list(flight_date || ' ' || name || ': ' || coalesce(minutes::VARCHAR, 'null')
            || ' min' ORDER BY flight_date, name), 1, 10),
        ', '
    ) AS detail
FROM odd
