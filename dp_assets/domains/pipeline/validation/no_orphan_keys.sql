-- Keys that lead nowhere. Aircraft, and the names of four destinations, are missing in the source:
-- contracts bound how many; here only what must always resolve.
WITH orphan AS (
    SELECT 'carrier ' || carrier || ' not in raw.airlines' AS problem
    FROM (SELECT DISTINCT carrier FROM curated.flights) ANTI JOIN raw.airlines USING (carrier)
    UNION ALL
    SELECT 'origin ' || origin || ' not in raw.airports'
    FROM (SELECT DISTINCT origin FROM curated.flights)
    ANTI JOIN raw.airports ON airports.faa = origin
    UNION ALL
    SELECT 'destination ' || dest || ' without a time zone'
    FROM (SELECT DISTINCT dest FROM curated.flights WHERE dest_tz IS NULL)
    UNION ALL
    SELECT 'route ' || origin || '-' || dest || ' of ' || flight_date || ' without flights'
    FROM features.route_day ANTI JOIN curated.flights USING (flight_date, origin, dest)
    ANTI JOIN (SELECT unnest(CAST($left_out AS DATE[])) AS flight_date) USING (flight_date)
    UNION ALL
    SELECT 'carrier ' || carrier || ' of ' || flight_date || ' without flights'
    FROM features.carrier_day ANTI JOIN curated.flights USING (flight_date, carrier)
    ANTI JOIN (SELECT unnest(CAST($left_out AS DATE[])) AS flight_date) USING (flight_date)
)
SELECT
    count(*) AS observed,
    0 AS expected,
    count(*) = 0 AS passed,
    array_to_string(list_slice(list(problem ORDER BY problem), 1, 10), ', ') AS detail
FROM orphan
