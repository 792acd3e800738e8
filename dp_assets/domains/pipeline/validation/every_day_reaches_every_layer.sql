-- Days of raw.flights that a later layer lacks, and days there that raw.flights does not know. A
-- day that was left out on purpose is listed, and is no failure.
WITH raw_days AS (SELECT DISTINCT flight_date AS day FROM raw.flights),
left_out AS (SELECT unnest(CAST($left_out AS DATE[])) AS day),
layer_days AS (
    SELECT DISTINCT 'curated.flights' AS layer, flight_date AS day FROM curated.flights
    UNION ALL
    SELECT DISTINCT 'features.route_day', flight_date FROM features.route_day
    UNION ALL
    SELECT DISTINCT 'features.carrier_day', flight_date FROM features.carrier_day
),
wanted AS (
    SELECT layer, day
    FROM raw_days
    CROSS JOIN (
        VALUES ('curated.flights'), ('features.route_day'), ('features.carrier_day')
    ) AS layers (layer)
),
astray AS (
    SELECT 'not in ' || layer AS problem, day
    FROM wanted ANTI JOIN layer_days USING (layer, day) ANTI JOIN left_out USING (day)
    UNION ALL
    SELECT 'only in ' || layer, day
    FROM layer_days ANTI JOIN raw_days USING (day) ANTI JOIN left_out USING (day)
)
SELECT
    (SELECT count(DISTINCT day) FROM astray) || ' of '
        || (SELECT count(*) FROM raw_days) || ' days astray' AS observed,
    'no day astray, at least one day' AS expected,
    (SELECT count(*) FROM astray) = 0 AND (SELECT count(*) FROM raw_days) > 0 AS passed,
    concat_ws(
        '; ',
        (SELECT string_agg(day || ' ' || problem, ', ' ORDER BY day, problem)
            FROM (FROM astray ORDER BY day, problem LIMIT 10)),
        (SELECT 'left out on purpose: ' || string_agg(day::VARCHAR, ', ' ORDER BY day)
            FROM left_out)
    ) AS detail
