"""What a manifest leaves to its manifest list."""

import pytest

from dp_assets.ports.closure import LiveEntry, Manifest, ManifestUse, inherited
from dp_assets.ports.recovery import FileKind


def entry(kind: FileKind = FileKind.DATA, **known: int | bool) -> LiveEntry:
    plain = {"added": True, "records": 10} | known
    return LiveEntry(path="/f", kind=kind, format="PARQUET", size=1, partition="", **plain)


def filled(*entries: LiveEntry, number: int = 5, first_row_id: int | None = None):
    use = ManifestUse("/m", 1, 0, sequence_number=number, snapshot_id=7, first_row_id=first_row_id)
    return list(inherited(Manifest("/m", 0, entries), use))


@pytest.mark.parametrize(
    ("known", "number", "wanted"),
    [
        pytest.param({}, 5, 5, id="added-takes-the-manifest's"),
        pytest.param({"sequence_number": 3}, 5, 3, id="its-own-wins"),
        pytest.param({"sequence_number": 0}, 5, 0, id="zero-is-a-number"),
        pytest.param({"added": False}, 5, None, id="existing-must-say-it"),
        pytest.param({"added": False}, 0, 0, id="existing-in-version-1"),
    ],
)
def test_sequence_numbers(known, number, wanted):
    assert [e.sequence_number for e in filled(entry(**known), number=number)] == [wanted]


@pytest.mark.parametrize(("known", "wanted"), [({}, 7), ({"snapshot_id": 2}, 2)])
def test_snapshots(known, wanted):
    assert [e.snapshot_id for e in filled(entry(**known))] == [wanted]


def test_row_ids_go_on_where_files_have_none():
    found = filled(entry(), entry(first_row_id=0), entry(records=5), entry(), first_row_id=100)
    assert [e.first_row_id for e in found] == [100, 0, 110, 115]


@pytest.mark.parametrize("first_row_id", [None, 100])
def test_deletes_have_no_row_ids(first_row_id):
    (found,) = filled(entry(FileKind.POSITION_DELETES), first_row_id=first_row_id)
    assert found.first_row_id is None
