-- Rows per layer: what a dashboard asks first, answered from file metadata where an engine can.
SELECT 'raw.flights' AS layer, count(*) AS flights FROM raw.flights
UNION ALL
SELECT 'curated.flights', count(*) FROM curated.flights
UNION ALL
SELECT 'features.carrier_day', sum(flights) FROM features.carrier_day
