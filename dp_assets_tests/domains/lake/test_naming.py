"""Tables as people type them."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.naming import find_table, nearest

TABLES = [
    TableId("raw", "flights"),
    TableId("curated", "flights"),
    TableId("raw", "weather"),
    TableId("a.b", "orders"),
]


@pytest.mark.parametrize("table", TABLES)
def test_the_exact_name_is_found(table):
    assert find_table(str(table), TABLES) == table


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("raw.fligths", "raw.flights"),
        ("RAW.WEATHER", "raw.weather"),
        ("weather", "raw.weather"),
        ("wether", "raw.weather"),
        ("orders", "a.b.orders"),
        ("flights", "curated.flights"),
        ("rwa.weather", "raw.weather"),
    ],
)
def test_the_nearest_name_is_offered(typed, meant):
    assert str(nearest(typed, TABLES)) == meant
    with pytest.raises(ConfigurationError) as refused:
        find_table(typed, TABLES)
    assert refused.value.what == f"there is no table {typed}"
    assert refused.value.hint == f"did you mean {meant}? 'dp tables' lists all"


@pytest.mark.parametrize("typed", ["", "zzz.qqq"])
def test_a_name_like_no_other_gets_the_list(typed):
    with pytest.raises(ConfigurationError) as refused:
        find_table(typed, TABLES)
    assert refused.value.hint == "'dp tables' lists all"
