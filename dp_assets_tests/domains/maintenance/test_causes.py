import pytest

from dp_assets.core.units import DAY_MS, GIB, KIB, MIB
from dp_assets.domains.maintenance.burden import burden_bytes, spare_files, spare_manifests
from dp_assets.domains.maintenance.causes import causes, needs_maintenance
from dp_assets_tests.domains.maintenance.healths import HEALTHY, NOW_MS, partition, table_with


def texts(health) -> list[str]:
    return [cause.text for cause in causes(health, now_ms=NOW_MS)]


def test_a_healthy_table_has_no_cause():
    assert causes(HEALTHY, now_ms=NOW_MS) == ()
    assert not needs_maintenance(())
    assert burden_bytes(HEALTHY) == 100 * 5000  # its metadata file


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        pytest.param(
            {
                "files": 1210,
                "small_files": 1204,
                "bytes": 3751 * MIB,
                "partitions": (partition(128),),
            },
            "1,204 of 1,210 data files are smaller than 96.0 MiB: mean 3.10 MiB",
            id="small",
        ),
        pytest.param(
            {
                "files": 50,
                "small_files": 40,
                "bytes": 50 * MIB,
                "partitions": (partition(512), partition(128), partition(256), partition(64, 0)),
            },
            "40 of 50 data files are smaller than 96.0 MiB to 384 MiB: mean 1.00 MiB",
            id="small-with-several-targets",
        ),
        pytest.param(
            {"delete_files": 44, "deleted_rows": 180},
            "18 % of the rows are deleted by 44 delete files",
            id="deletes",
        ),
        pytest.param(
            {"delete_files": 1, "deleted_rows": 5000},
            "100 % of the rows are deleted by 1 delete file",
            id="more-deletes-than-rows",
        ),
        pytest.param(
            {"delete_files": 10, "deleted_rows": 1},
            "less than 1 % of the rows are deleted by 10 delete files",
            id="few-rows-deleted",
        ),
        pytest.param(
            {"snapshots": 361, "oldest_snapshot_ms": NOW_MS - 94 * DAY_MS - 1},
            "361 snapshots, the oldest 94 days old",
            id="snapshots",
        ),
        pytest.param(
            {"metadata_bytes": 2_400_000},
            "a metadata file of 2.29 MiB is written with every commit",
            id="metadata",
        ),
        pytest.param(
            {"old_bytes": 3 * GIB},
            "old snapshots hold 3.00 GiB that the head does not need",
            id="old",
        ),
        pytest.param({"manifests": 101}, "101 manifests list 4 data files", id="manifests"),
        pytest.param(
            {"unheld_bytes": 20 * MIB}, "20.0 MiB in its folders belong to no snapshot", id="unheld"
        ),
    ],
)
def test_each_cause_says_what_it_is(figures, text):
    health = table_with(**figures)
    assert texts(health) == [text]
    assert needs_maintenance(causes(health, now_ms=NOW_MS))
    assert burden_bytes(health) > burden_bytes(HEALTHY)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"small_files": 4, "partition_count": 1}, id="too-few-small-files"),
        pytest.param(
            {"files": 9, "small_files": 9, "partition_count": 9}, id="one-small-file-a-partition"
        ),
        pytest.param({"delete_files": 9, "deleted_rows": 99}, id="few-deletes"),
        pytest.param({"snapshots": 5, "oldest_snapshot_ms": 0}, id="five-snapshots-of-any-age"),
        pytest.param(
            {"snapshots": 6, "oldest_snapshot_ms": NOW_MS - 14 * DAY_MS}, id="snapshots-young"
        ),
        pytest.param({"manifests": 100}, id="manifests"),
        pytest.param({"metadata_bytes": MIB - 1}, id="metadata"),
        pytest.param({"old_bytes": 512 * MIB - 1}, id="no-more-old-than-live"),
        pytest.param({"bytes": 0, "old_bytes": 16 * MIB - 1}, id="little-in-all"),
    ],
)
def test_below_its_limit_nothing_is_said(figures):
    assert texts(table_with(**figures)) == []


def test_the_most_expensive_cause_comes_first():
    health = table_with(
        files=100, small_files=100, partitions=(partition(128),), old_bytes=GIB, snapshots=101
    )
    said = texts(health)
    assert [text.split()[0] for text in said] == ["old", "100", "101"]
    assert texts(table_with(files=400, small_files=400, old_bytes=GIB))[0].startswith("400 of 400")


def test_skew_is_said_and_is_nothing_to_maintain():
    health = table_with(skew=12.3, bytes=20 * GIB, partition_count=20)
    found = causes(health, now_ms=NOW_MS)
    assert [c.text for c in found] == ["the largest partition has 12 times the mean of all"]
    assert not needs_maintenance(found)
    assert texts(table_with(skew=12.3, bytes=20 * KIB, partition_count=20)) == []


def test_the_burden_is_what_its_formula_says():
    health = table_with(
        files=100,
        small_files=60,
        partition_count=10,
        delete_files=7,
        deleted_rows=250,
        manifests=12,
        snapshots=25,
        old_bytes=1,
        unheld_bytes=2,
    )
    opens = (60 - 10) + 7 + (12 - 2) + (25 - 5)
    assert burden_bytes(health) == opens * 4 * MIB + 128 * MIB + 100 * 5000 + 1 + 2
    assert (spare_files(health), spare_manifests(health)) == (50, 10)
