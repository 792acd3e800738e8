"""When a record is emptied, what its side table is, and its object in the store."""

from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.maintenance.trash import (
    live_holds,
    named_by_trash,
    protected_by_others,
    side_metadata,
    side_name,
    why_kept,
    why_not_yet,
)
from dp_assets.domains.maintenance.trash_records import TrashRecords, new_id
from dp_assets.ports.leases import Lease
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashedFile, TrashRecord, TrashState

RECORD = TrashRecord(
    id="20260101-000000-aa",
    lakehouse_id="lake",
    table="shop.things",
    uuid="u-1",
    operation=Operation.EXPIRY,
    state=TrashState.WAITING,
    at_ms=100,
    until_ms=200,
    files=(TrashedFile("/a", "data", 10), TrashedFile("/b", "manifest list", None)),
    pointer="/m.json",
    updated_ms=90,
    snapshots=(1, 2),
)
AFTER = {"last-updated-ms": 101, "snapshots": [{"snapshot-id": 3}]}


def kept(record: TrashRecord = RECORD, metadata: object = AFTER, **given) -> str:
    asked = {"lakehouse_id": "lake", "tables": {"shop.things"}, **given}
    return why_kept(record, metadata, **asked)  # pyright: ignore[reportArgumentType]


def test_a_window_is_open_until_its_end():
    assert why_not_yet(RECORD, now_ms=199, at_once=False)
    assert not why_not_yet(RECORD, now_ms=200, at_once=False)
    assert not why_not_yet(RECORD, now_ms=0, at_once=True)


def test_what_was_begun_is_ended_whatever_the_clock_says():
    begun = replace(RECORD, state=TrashState.EMPTYING)
    assert not why_not_yet(begun, now_ms=0, at_once=False)


def test_a_record_whose_table_is_as_the_expiry_left_it_may_go():
    assert kept() == ""


@pytest.mark.parametrize(
    ("record", "given", "word"),
    [
        pytest.param(RECORD, {"lakehouse_id": "clone"}, "lakehouse lake", id="a-clone"),
        pytest.param(RECORD, {"metadata": None}, "no table with the uuid", id="no-table"),
        pytest.param(
            RECORD, {"metadata": {"last-updated-ms": 89}}, "as it was before", id="older-answer"
        ),
        pytest.param(
            replace(RECORD, state=TrashState.UNFINISHED),
            {"metadata": {"last-updated-ms": 89}},
            "as it was before",
            id="older-answer-to-a-killed-run",
        ),
        pytest.param(
            RECORD,
            {"metadata": {"last-updated-ms": 90, "snapshots": [{"snapshot-id": 2}]}},
            "the snapshots again",
            id="rolled-back-outside-of-iceberg",
        ),
        pytest.param(
            replace(RECORD, side_table="shop.side"),
            {"tables": {"shop.things", "shop.side"}},
            "drop that first",
            id="a-side-table-shows-it",
        ),
    ],
)
def test_why_nothing_may_be_deleted(record, given, word):
    assert word in kept(record, **given)


def test_files_of_another_record_stay_while_its_window_is_open():
    other = replace(RECORD, id="other", until_ms=900, files=RECORD.files[:1])
    ask = {"now_ms": 300, "key": str}
    found = protected_by_others(RECORD, [RECORD, other], at_once=False, **ask)
    assert found == {"/a"}
    assert protected_by_others(RECORD, [RECORD, other], at_once=True, **ask) == set()


def test_a_record_names_its_files_and_what_it_is_undone_with():
    assert list(named_by_trash([RECORD], str)) == ["/a", "/b", "/m.json"]
    assert list(named_by_trash([replace(RECORD, side_pointer="/s")], str))[-1] == "/s"


def test_holds_are_told_from_other_leases():
    leases = [Lease(n, "me", 1, 1) for n in ("hold/recovery-point/00000001", "table/hold/x")]
    assert live_holds(leases) == ("hold/recovery-point/00000001",)


def test_a_side_table_is_foreign_apart_and_engines_may_not_delete_its_files():
    before = {
        "table-uuid": "u-1",
        "location": "/wh/things",
        "metadata-log": [{"metadata-file": "/m0.json"}],
        "properties": {
            "dp.adopted": "true",
            "dp.writer": "x",
            "write.data.path": "/wh/elsewhere",
            "owner": "ann",
        },
        "snapshots": [1],
        "unknown": 1,
    }
    side = side_metadata(before, RECORD, location="/wh/_dp/side")
    assert side["properties"]["gc.enabled"] == "false"
    assert side["properties"]["owner"] == "ann"
    assert {"dp.adopted", "dp.writer", "write.data.path"}.isdisjoint(side["properties"])
    assert side["table-uuid"] != "u-1"
    assert side["table-uuid"] == side_metadata(before, RECORD, location="")["table-uuid"]
    assert (side["location"], side["metadata-log"]) == ("/wh/_dp/side", [])
    assert (side["snapshots"], side["unknown"]) == ([1], 1)
    assert str(side_name(RECORD)) == "shop.things__before_expiry_20260101_000000_aa"


@pytest.fixture
def records(tmp_path: Path) -> TrashRecords:
    return TrashRecords(LocalObjectStore(tmp_path))


def test_a_record_comes_back_as_it_was_put(records: TrashRecords):
    later = replace(RECORD, id=new_id(86_400_000, "bb"), uuid="u-2", at_ms=900)
    assert later.id == "19700102-000000-bb"
    for one in (later, RECORD):
        records.put(one)
    assert records.all() == (RECORD, later)
    assert records.of("u-2") == (later,)
    assert records.get(RECORD.id) == RECORD
    assert RECORD.bytes == 10
    records.put(replace(RECORD, state=TrashState.EMPTYING))
    assert records.get(RECORD.id).state is TrashState.EMPTYING
    records.remove(RECORD)
    records.remove(RECORD)
    assert records.again(RECORD) is None
    with pytest.raises(ConfigurationError, match=RECORD.id):
        records.get(RECORD.id)


def test_a_record_that_was_altered_is_not_believed(records: TrashRecords, tmp_path: Path):
    records.put(RECORD)
    (file,) = (path for path in tmp_path.rglob("*.json"))
    file.write_bytes(file.read_bytes().replace(b'"/a"', b'"/c"'))
    with pytest.raises(PermanentError, match="damaged"):
        records.all()


def test_a_record_in_another_tables_place_is_not_believed(records: TrashRecords, tmp_path: Path):
    records.put(RECORD)
    (file,) = (path for path in tmp_path.rglob("*.json"))
    (file.parent.parent / "u-9").mkdir()
    file.rename(file.parent.parent / "u-9" / file.name)
    with pytest.raises(PermanentError, match="another place"):
        records.all()
