"""Whose a table is, and what all hold together."""

import pytest

from dp_assets.core.ids import TableId
from dp_assets.domains.lake.listing import ListTotals, Standing, standing, totals
from dp_assets.ports.inventory import TableFacts

TABLE = TableId("raw", "orders")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (TableFacts(TABLE, "m", writer="raw/orders", adopted=True), Standing.OURS),
        (TableFacts(TABLE, "m", adopted=True), Standing.ADOPTED),
        (TableFacts(TABLE, "m"), Standing.FOREIGN),
        (TableFacts(TABLE, "m", adopted=True, problem="empty"), Standing.UNKNOWN),
    ],
)
def test_whose_a_table_is(facts, expected):
    assert standing(facts) is expected


def test_totals_leave_out_what_is_unknown():
    listed = [
        TableFacts(TABLE, "m", rows=5, files=2, bytes=100, snapshots=3),
        TableFacts(TABLE, "m", rows=7, files=1, bytes=50, snapshots=1, adopted=True),
        TableFacts(TABLE, "m", problem="empty"),
    ]
    assert totals(listed) == ListTotals(
        tables=3, rows=12, files=3, bytes=150, snapshots=4, foreign=1, problems=1
    )
