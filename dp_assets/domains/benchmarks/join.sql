-- Three joins by text keys, one of them to another fact table: a flight beside its airline's week.
SELECT
    coalesce(plane.manufacturer, 'unknown') AS manufacturer,
    coalesce(airport.tzone, 'unknown') AS dest_zone,
    count(*) AS flights,
    avg(flight.arr_delay_min) AS arr_delay_mean_min,
    avg(flight.arr_delay_min - week.trailing_7d_arr_delay_mean_min) AS against_week_min
FROM curated.flights AS flight
LEFT JOIN raw.planes AS plane ON plane.tailnum = flight.tailnum
LEFT JOIN raw.airports AS airport ON airport.faa = flight.dest
LEFT JOIN features.carrier_day AS week
    ON week.flight_date = flight.flight_date AND week.carrier = flight.carrier
GROUP BY ALL
ORDER BY ALL
