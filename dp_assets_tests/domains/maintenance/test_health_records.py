from dp_assets.core.ids import TableId
from dp_assets.domains.lake.spool_rows import rows_to_arrow
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH, health_row
from dp_assets.ports.health_state import Unmeasured
from dp_assets_tests.domains.maintenance.healths import NOW_MS, table_with

T = TableId("raw", "t")


def test_every_row_fits_the_table():
    sick = table_with(
        small_files=900, files=1000, size_counts=(0, 900, 100), old_bytes=2**40, unheld_bytes=0
    )
    empty = table_with(head=None, uuid="", files=0, snapshots=0, oldest_snapshot_ms=None)
    rows = [
        health_row(T, sick, run_id="r"),
        health_row(T, empty, run_id="r"),
        health_row(T, Unmeasured(T, "p", NOW_MS, "gone"), run_id="r"),
    ]
    found = rows_to_arrow(rows, TABLE_HEALTH.schema).to_pylist()
    assert [row["problem"] for row in found] == [None, None, "gone"]
    assert [row["files"] for row in found] == [1000, 0, None]
    assert found[0]["size_counts"] == "0,900,100"
    assert len(found[0]["causes"].splitlines()) == 2
    assert found[1]["causes"] is None
    assert found[1]["oldest_snapshot_at"] is None
    assert {row["measured_at"].timestamp() for row in found} == {NOW_MS / 1000}
