-- The newest seven days, hour by hour: months and row groups outside them need not be read.
SELECT flight_date, scheduled_hour_local, origin, count(*) AS flights, avg(dep_delay_min) AS mean
FROM curated.flights
WHERE flight_date > (SELECT max(flight_date) FROM features.carrier_day) - 7
GROUP BY ALL
ORDER BY ALL
