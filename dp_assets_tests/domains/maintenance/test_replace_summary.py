"""What a compaction's snapshot says, counted by hand."""

from dp_assets.domains.maintenance.replace_summary import replace_summary
from dp_assets_tests.domains.maintenance.compactions import (
    OTHER,
    data,
    equality,
    group,
    head,
    positions,
    rewritten,
    vector,
)


def test_every_count():
    old = [data("/a"), data("/b")]
    gone = [positions("/d"), vector("/v", "/a"), vector("/v", "/b", offset=50), equality("/e")]
    kept = [data("/far", partition=OTHER), positions("/k"), vector("/v", "/far", offset=90)]
    now = head(*old, *gone, *kept)
    given = [rewritten(group(*old), "/n1", "/n2")]
    assert replace_summary(now, given, gone, run_id="r", commit="c") == {
        "operation": "replace",
        "dp.operation": "compaction",
        "dp.run-id": "r",
        "dp.commit": "c",
        "added-data-files": "2",
        "deleted-data-files": "2",
        "added-records": "16",
        "deleted-records": "20",
        "added-files-size": "100",
        "removed-files-size": "480",
        "changed-partition-count": "1",
        "removed-delete-files": "4",
        "removed-position-delete-files": "1",
        "removed-dvs": "2",
        "removed-position-deletes": "30",
        "removed-equality-delete-files": "1",
        "removed-equality-deletes": "10",
        "total-data-files": "3",
        "total-records": "26",
        "total-files-size": "340",
        "total-delete-files": "2",
        "total-position-deletes": "20",
        "total-equality-deletes": "0",
    }


def test_what_did_not_happen_is_not_said():
    said = replace_summary(
        head(data("/a")), [rewritten(group(data("/a")))], (), run_id="r", commit="c"
    )
    assert "added-data-files" not in said
    assert "removed-delete-files" not in said
    assert said["total-data-files"] == "0"
