"""Five days of made-up flights that keep every contract, as a source folder: 30 flights a day."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from dp_assets_tests.adapters.flight_files import (
    AIRPORT_ROWS,
    AIRPORTS,
    BOEING,
    FLIGHTS,
    PLANES,
    WEATHER,
    write_source,
)

FIRST = dt.date(2013, 3, 4)
DAYS = tuple((FIRST + dt.timedelta(n)).isoformat() for n in range(5))
FLIGHTS_A_DAY = 30
CANCELLED_A_DAY = 1
ORIGINS = ("EWR", "JFK", "LGA")
LA_GUARDIA = "LGA,La Guardia,40.777245,-73.872608,22,-5,A,America/New_York"
# Destination -> block time and offset of its clock from New York's, in minutes.
DESTINATIONS = {"MIA": (180, 0), "IAH": (240, -60), "LAX": (360, -180)}
UTC_HOURS = 5  # behind: the days are before daylight saving

Edit = Callable[[str], str]


def unchanged(line: str) -> str:
    return line


def write_week(folder: Path, *, edit: Edit = unchanged) -> Path:
    """The five files; ``edit`` may change a line of the flights."""
    airports = (*(row for row in AIRPORT_ROWS if not row.endswith(",NA")), LA_GUARDIA)
    return write_source(
        folder,
        flights=[FLIGHTS, *(edit(line) for day in DAYS for line in flights(day))],
        weather=[WEATHER, *(line for day in DAYS for line in weather(day))],
        planes=[PLANES, BOEING],
        airports=[AIRPORTS, *airports],
    )


def flights(day: str) -> Iterator[str]:
    for number in range(FLIGHTS_A_DAY):
        hour, minute = 6 + number % 12, number % 60
        dest = tuple(DESTINATIONS)[number % len(DESTINATIONS)]
        block, offset = DESTINATIONS[dest]
        scheduled = 60 * hour + minute
        landing = scheduled + block + offset
        late = number * 7 % 40 - 5
        cancelled = number < CANCELLED_A_DAY
        done = [clock(scheduled + late), late, clock(landing + late - 3), late - 3, block - 40]
        dep, dep_late, arr, arr_late, air = ["NA"] * 5 if cancelled else done
        year, month, day_of_month = (int(part) for part in day.split("-"))
        values = [
            *(year, month, day_of_month, dep, clock(scheduled), dep_late, arr, clock(landing)),
            *(arr_late, ("UA", "EV")[number % 2], 100 + number, "N14228"),
            *(ORIGINS[number % 3], dest, air, 1000 + number, hour, minute, utc(day, hour)),
        ]
        yield ",".join(map(str, values))


def weather(day: str) -> Iterator[str]:
    year, month, day_of_month = (int(part) for part in day.split("-"))
    for origin in ORIGINS:
        for hour in range(5, 19):
            observed = f"{30 + hour}.5,20.5,50.5,{10 * hour},8.5,NA,0,1012.5,10"
            yield f"{origin},{year},{month},{day_of_month},{hour},{observed},{utc(day, hour)}"


def clock(minutes: int) -> int:
    """Hhmm of a minute of the day."""
    return minutes // 60 * 100 + minutes % 60


def utc(day: str, hour: int) -> str:
    return f"{day}T{hour + UTC_HOURS:02}:00:00Z"
