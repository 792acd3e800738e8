-- curated.flights for $days: one row per row of raw.flights, never fewer and never more, because
-- every join below is a LEFT JOIN to a side made unique by DISTINCT ON. What is missing is null.
WITH flight AS (
    SELECT * FROM raw.flights
    WHERE flight_date BETWEEN list_min($days) AND list_max($days)  -- prunes files
      AND flight_date IN (SELECT unnest($days))
),
airline AS (SELECT DISTINCT ON (carrier) * FROM raw.airlines ORDER BY ALL),
airport AS (SELECT DISTINCT ON (faa) * FROM raw.airports ORDER BY ALL),
plane AS (SELECT DISTINCT ON (tailnum) * FROM raw.planes ORDER BY ALL),
-- Weather is joined on the hour in UTC, so that the hour that was there twice in local time
-- (2013-11-03) is two hours.
weather AS (
    SELECT DISTINCT ON (origin, time_hour) * FROM raw.weather
    WHERE observed_date BETWEEN list_min($days) - 1 AND list_max($days) + 1
    ORDER BY ALL
),
-- Destinations that the source's airports lack, with their zones from the IANA database. Neither
-- zone keeps daylight saving time. A zone in raw.airports wins.
zone AS (
    SELECT faa, tzone FROM airport WHERE tzone IS NOT NULL
    UNION ALL
    SELECT known.faa, known.tzone
    FROM (VALUES
        ('BQN', 'America/Puerto_Rico'),
        ('PSE', 'America/Puerto_Rico'),
        ('SJU', 'America/Puerto_Rico'),
        ('STT', 'America/St_Thomas')
    ) AS known (faa, tzone)
    ANTI JOIN (SELECT faa FROM airport WHERE tzone IS NOT NULL) AS listed USING (faa)
),
-- hhmm to minutes, so that 2400 is the end of the day.
local_schedule AS (
    SELECT
        flight.*,
        origin_zone.tzone AS origin_tz,
        dest_zone.tzone AS dest_tz,
        (flight_date + to_minutes(sched_dep_time // 100 * 60 + sched_dep_time % 100))
            AT TIME ZONE origin_zone.tzone AS scheduled_departure_utc,
        flight_date + to_minutes(sched_arr_time // 100 * 60 + sched_arr_time % 100)
            AS arrival_local
    FROM flight
    LEFT JOIN zone AS origin_zone ON origin_zone.faa = flight.origin
    LEFT JOIN zone AS dest_zone ON dest_zone.faa = flight.dest
),
-- The source gives a time of arrival without its date: it is the first one after the departure,
-- the same day or the next. DuckDB reads a local time that occurs twice as the later one; no
-- flight of 2013 is scheduled into such an hour.
schedule AS (
    SELECT
        *,
        CASE
            WHEN arrival_local AT TIME ZONE dest_tz > scheduled_departure_utc
                THEN arrival_local AT TIME ZONE dest_tz
            WHEN arrival_local AT TIME ZONE dest_tz <= scheduled_departure_utc
                THEN (arrival_local + INTERVAL 1 DAY) AT TIME ZONE dest_tz
        END AS scheduled_arrival_utc
    FROM local_schedule
)
-- Actual times are schedule plus delay: dep_time and arr_time have no date, and a long delay
-- crosses midnight and the change of the clocks.
SELECT
    f.flight_date,
    f.carrier,
    f.flight,
    f.origin,
    f.dest,
    f.tailnum,
    airline.name AS carrier_name,
    f.scheduled_departure_utc,
    f.scheduled_departure_utc + to_minutes(f.dep_delay) AS actual_departure_utc,
    f.scheduled_arrival_utc,
    f.scheduled_arrival_utc + to_minutes(f.arr_delay) AS actual_arrival_utc,
    f.dep_delay AS dep_delay_min,
    f.arr_delay AS arr_delay_min,
    f.air_time AS air_time_min,
    f.distance AS distance_miles,
    f.sched_dep_time // 100 AS scheduled_hour_local,
    f.dep_time IS NULL AS cancelled,
    f.dep_time IS NOT NULL AND f.arr_delay IS NULL AS diverted,
    origin_airport.name AS origin_name,
    f.origin_tz,
    dest_airport.name AS dest_name,
    f.dest_tz,
    dest_airport.lat AS dest_lat,
    dest_airport.lon AS dest_lon,
    plane.year AS plane_year,
    plane.manufacturer AS plane_manufacturer,
    plane.model AS plane_model,
    plane.seats AS plane_seats,
    weather.time_hour AS weather_hour_utc,
    weather.temp AS temp_f,
    weather.humid AS humid_pct,
    weather.wind_dir AS wind_dir_deg,
    weather.wind_speed AS wind_speed_mph,
    weather.wind_gust AS wind_gust_mph,
    weather.precip AS precip_in,
    weather.pressure AS pressure_mbar,
    weather.visib AS visib_miles
FROM schedule AS f
LEFT JOIN airline ON airline.carrier = f.carrier
LEFT JOIN airport AS origin_airport ON origin_airport.faa = f.origin
LEFT JOIN airport AS dest_airport ON dest_airport.faa = f.dest
LEFT JOIN plane ON plane.tailnum = f.tailnum
LEFT JOIN weather
    ON weather.origin = f.origin
    AND weather.time_hour = date_trunc('hour', f.scheduled_departure_utc)
