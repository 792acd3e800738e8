"""Hours and weekdays in UTC, across midnight too."""

from datetime import UTC, datetime, timedelta

import pytest

from dp_assets.domains.maintenance.windows import parse_window

MINUTE_MS = 60_000
DAYS = {"mon": 13, "tue": 14, "wed": 15, "thu": 16, "fri": 17, "sat": 18, "sun": 19}


def ms(text):
    """``fri 22:00`` in the week of 2023-11-13."""
    day, time = text.split()
    hour, minute = map(int, time.split(":"))
    at = datetime(2023, 11, DAYS[day], tzinfo=UTC) + timedelta(hours=hour, minutes=minute)
    return int(at.timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "at", "is_open"),
    [
        ("always", "wed 12:00", True),
        ("02:00-04:00", "wed 01:59", False),
        ("02:00-04:00", "wed 02:00", True),
        ("02:00-04:00", "wed 03:59", True),
        ("02:00-04:00", "wed 04:00", False),
        ("22:00-06:00 mon-fri", "fri 21:59", False),
        ("22:00-06:00 mon-fri", "fri 22:00", True),
        ("22:00-06:00 mon-fri", "sat 05:59", True),
        ("22:00-06:00 mon-fri", "sat 06:00", False),
        ("22:00-06:00 mon-fri", "sat 22:00", False),
        ("22:00-06:00 mon-fri", "mon 03:00", False),
        ("22:00-06:00 mon-fri", "tue 03:00", True),
        ("sun 23:00-01:00", "mon 00:30", True),
        ("sat,sun", "sat 00:00", True),
        ("sat,sun", "mon 00:00", False),
        ("fri-mon", "sun 12:00", True),
        ("fri-mon", "tue 00:00", False),
        ("00:00-24:00 mon", "mon 23:59", True),
        ("00:00-24:00 mon", "tue 00:00", False),
    ],
)
def test_it_is_open_when_it_says_so(window, at, is_open):
    assert parse_window(window).is_open(ms(at)) is is_open


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        ("always", "wed 12:00", "wed 12:00"),
        ("02:00-04:00", "wed 01:00", "wed 02:00"),
        ("02:00-04:00", "wed 04:00", "thu 02:00"),
        ("22:00-06:00 mon-fri", "sat 03:00", "sat 03:00"),
        ("22:00-06:00 mon", "wed 12:00", "mon 22:00"),
        ("22:00-06:00 mon", "mon 21:59", "mon 22:00"),
    ],
)
def test_it_says_when_it_opens(window, at, opens):
    week = 7 * 24 * 60 * MINUTE_MS
    expected = ms(opens) + (week if ms(opens) < ms(at) else 0)
    assert parse_window(window).next_open(ms(at)) == expected


@pytest.mark.parametrize("window", ["22:00-06:00 mon-fri", "sun 23:30-00:10", "tue,thu", "always"])
def test_it_opens_at_the_first_open_minute(window):
    found = parse_window(window)
    start = ms("mon 00:00")
    minutes = [start + n * MINUTE_MS for n in range(14 * 24 * 60)]
    opening = None
    for at in reversed(minutes):
        opening = at if found.is_open(at) else opening
        if at < start + 7 * 24 * 60 * MINUTE_MS:
            assert found.next_open(at) == opening


@pytest.mark.parametrize(
    "text",
    [
        *("", "never", "22-06", "22:00-22:00", "24:00-02:00", "02:00-24:01", "22:60-23:00"),
        *("mon-", "mon-fry", "mon tue", "02:00-04:00 06:00-08:00", "02:00-04:00 mon x"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the type of the setting has the words
        parse_window(text)
