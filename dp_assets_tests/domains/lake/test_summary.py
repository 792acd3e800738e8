from dp_assets.core.ids import TableId
from dp_assets.domains.lake.inventory import InventoryPlan
from dp_assets.domains.lake.summary import Counts, biggest_markdown, count
from dp_assets.ports.inventory import Inventory, TableFacts

BIG, SMALL, BROKEN = (TableId("raw", name) for name in ("big", "small", "bro|ken"))
LAKE = Inventory(
    {
        SMALL: TableFacts(SMALL, "p", rows=1, files=1, bytes=2048, snapshots=1, adopted=True),
        BIG: TableFacts(BIG, "p", rows=1234, files=2, bytes=4096, snapshots=3),
        BROKEN: TableFacts(BROKEN, "p", problem="metadata file is empty"),
    }
)


def test_counts_say_what_is_there_and_what_changed():
    plan = InventoryPlan(added=(BIG,), gone=(), moved=(SMALL, BROKEN), unchanged=())
    assert count(plan, LAKE) == Counts(
        tables=3, added=1, gone=0, moved=2, foreign=1, unreadable=1, rows=1235, bytes=6144
    )


def test_the_biggest_come_first_and_the_unreadable_are_always_named():
    assert biggest_markdown(LAKE, limit=1).splitlines()[2:] == [
        "| raw.big | 1,234 | 2 | 4.00 KiB | 3 | foreign |",
        "| raw.bro\\|ken | | | | | metadata file is empty |",
    ]
