"""Which tables a point holds."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.selection import Selection, require_any

TABLES = [TableId.parse(n) for n in ("raw.orders", "raw.names", "ops.facts", "a.b.c", "raw.Orders")]


@pytest.mark.parametrize(
    ("include", "exclude", "selected"),
    [
        pytest.param(("*",), (), ["a.b.c", "ops.facts", "raw.Orders", "raw.names", "raw.orders"]),
        pytest.param(("raw.*",), (), ["raw.Orders", "raw.names", "raw.orders"], id="namespace"),
        pytest.param(("raw.o*",), (), ["raw.orders"], id="case-counts"),
        pytest.param(("a.*",), (), ["a.b.c"], id="a-star-matches-dots"),
        pytest.param(("ops.*", "a.*"), (), ["a.b.c", "ops.facts"], id="several"),
        pytest.param(("*",), ("raw.*", "ops.facts"), ["a.b.c"], id="excluding-beats-including"),
        pytest.param(("raw.order",), (), [], id="the-whole-name-matches"),
    ],
)
def test_selects(include, exclude, selected):
    assert [str(t) for t in Selection(include, exclude).of(TABLES)] == selected


def test_a_selection_that_saves_nothing_is_refused():
    with pytest.raises(ConfigurationError, match=r"none of 5 tables.*raw\.order, exclude nothing"):
        require_any(Selection(("raw.order",)), TABLES)


def test_an_empty_lakehouse_is_no_mistake_of_the_selection():
    assert require_any(Selection(("raw.order",)), []) == ()


def test_warns_of_globs_that_match_nothing():
    (warning,) = Selection(("raw.*", "row.*")).warnings(TABLES)
    assert warning.startswith("include row.* matches no table")
    assert Selection(("row.*",)).warnings([]) == ()
