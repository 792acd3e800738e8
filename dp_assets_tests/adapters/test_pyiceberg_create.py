"""Creating a declared table, also by several at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from dp_assets_tests.adapters.orders import MONDAY, ORDERS, RUN, Lake, orders

WRITERS = 4


def test_several_who_create_a_table_at_once_all_have_it(tmp_path: Path):
    """None fails, and all rows go into the one table."""
    Lake(tmp_path).close()
    start = Barrier(WRITERS)

    def create(_: int) -> str:
        with Lake(tmp_path) as lake:
            writer = lake.writer()
            start.wait()
            writer.ensure(ORDERS)
            return str(lake.table().metadata.table_uuid)

    with ThreadPoolExecutor(WRITERS) as threads:
        found = set(threads.map(create, range(WRITERS)))
    assert len(found) == 1


def test_creating_again_changes_nothing(lake: Lake):
    lake.put(MONDAY, [1])
    before = lake.pointer()
    lake.writer().ensure(ORDERS)
    assert lake.pointer() == before


def test_a_killed_creation_is_done_again(lake: Lake):
    """Its namespace and a metadata file that no catalog names are left."""
    lake.catalog.create_namespace("raw")
    left = lake.warehouse / "raw" / "orders" / "metadata" / "00000-left.metadata.json"
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    writer = lake.writer()
    writer.ensure(ORDERS)
    writer.replace(ORDERS, orders(MONDAY, [1]), partition=MONDAY, run=RUN)
    assert lake.ids() == {MONDAY: [1]}
