"""What stops a sweep for orphans: then nothing is recorded, and it is said why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import HOUR_MS, now_ms
from dp_assets.domains.maintenance import orphan_rules
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.usecases.maintenance import finding_orphans, orphan_names
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    make_table,
    metadata_of,
    pointer_of,
    run_expiry,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import (
    all_made_old,
    folder_of,
    found,
    made_old,
    plant,
    register,
    run_sweep,
    search,
)

__all__ = ["lake", "prepared"]  # fixtures

OTHER = TableId("shop", "other")


def check_stops(
    lake: Lakehouse, match: str, error: type[LakeError] = MaintenanceRefusedError
) -> None:
    """With an orphan in the folder, which would be found otherwise."""
    orphan = plant(lake)
    with pytest.raises(error, match=match):
        run_sweep(lake)
    assert orphan.exists()
    assert [r for r in open_trash(lake).all() if r.operation == "orphans"] == []


def set_property(lake: Lakehouse, name: str, value: str) -> None:
    with lake.catalog.load_table(TABLE.identifier).transaction() as change:
        change.set_properties({name: value})


def test_a_hold_stops_it(lake: Lakehouse):
    plant(lake)
    with (
        lake.lease("hold/recovery-point/00000001", doing="dp backup"),
        pytest.raises(MaintenanceRefusedError, match="hold/recovery-point/00000001"),
    ):
        search(lake)
    assert len(found(lake)) == 1


def test_who_has_the_table_stops_it(lake: Lakehouse):
    lake.settings.leases.__dict__["wait_seconds"] = 0
    with lake.lease(f"table/{TABLE}", doing="another one"):
        check_stops(lake, "held by", TransientError)


def test_a_foreign_table_is_left_alone(lake: Lakehouse):
    with lake.catalog.load_table(TABLE.identifier).transaction() as change:
        change.remove_properties("dp.adopted")
    check_stops(lake, "foreign", PermanentError)


def test_a_table_whose_files_engines_may_not_delete_is_left_alone(lake: Lakehouse):
    set_property(lake, "gc.enabled", "false")
    check_stops(lake, r"gc\.enabled")


def test_a_copy_without_an_identity_of_its_own_is_refused(lake: Lakehouse):
    plant(lake)
    lake.settings.warehouse.__dict__["root"] = f"{lake.settings.warehouse.root}/."
    with pytest.raises(PermanentError, match="not lakehouse"):
        search(lake)


@pytest.mark.parametrize("place", ["hdfs://name/lake/data", "data/relative"])
def test_a_place_that_nobody_knows_stops_it(lake: Lakehouse, place: str):
    """A prefix that is not understood must not make live files look unnamed."""
    set_property(lake, "write.data.path", place)
    check_stops(lake, f"places like {place}")


def test_a_folder_that_holds_other_things_stops_it(lake: Lakehouse):
    set_property(lake, "write.data.path", str(lake.settings.warehouse.root))
    check_stops(lake, "contains the warehouse")
    set_property(lake, "write.data.path", str(lake.settings.state_dir))
    check_stops(lake, "contains the")
    set_property(lake, "write.data.path", "file:///")
    check_stops(lake, "a whole bucket or disk")


@pytest.mark.parametrize("where", ["inside", "around", "same", "spelled otherwise"])
def test_a_table_in_the_same_folder_stops_it(lake: Lakehouse, where: str):
    """iceberg#3212, #4265; nessie#12363. It need not be ours, nor name any of these files."""
    folder = folder_of(lake)
    location = {
        "inside": f"{folder}/data/nested",
        "around": f"{folder.parent}",
        "same": f"{folder}",
        "spelled otherwise": f"file://{folder.parent}//x/../{folder.name}/",
    }[where]
    metadata = dict(metadata_of(lake)) | {"location": location, "table-uuid": "another"}
    metadata |= {"snapshots": [], "refs": {}, "current-snapshot-id": None, "metadata-log": []}
    metadata |= {"snapshot-log": []}
    register(lake, metadata, Path(f"{lake.settings.state_dir}/other"), name=OTHER)
    check_stops(lake, r"shares the folder .* with shop\.other")


def test_a_name_with_another_scheme_or_host_stops_it(lake: Lakehouse):
    """One store under two names: iceberg#4346, #4652, #5385; amoro#1981."""
    orphan = plant(lake)
    metadata = dict(metadata_of(lake)) | {"location": "/elsewhere/t", "table-uuid": "another"}
    one = {"snapshot-id": 1, "statistics-path": f"s3://mounted{orphan}"}
    metadata |= {"statistics": [one], "properties": {}}
    register(lake, metadata, Path(f"{lake.settings.state_dir}/other"), name=OTHER)
    check_stops(lake, r"shop\.other names s3://mounted/.*cannot be told from")


def test_another_table_that_cannot_be_read_stops_it(lake: Lakehouse):
    make_table(lake, OTHER)
    Path(one_spelling(pointer_of(lake, OTHER))).write_bytes(b"")
    check_stops(lake, r"shop\.other cannot be read", PermanentError)


def test_trash_that_cannot_be_read_stops_it(lake: Lakehouse):
    record = open_trash(lake).get(run_expiry(lake).record_id)
    root = Path(one_spelling(str(lake.settings.warehouse.root)))
    (file,) = root.rglob(f"{record.id}.json")
    file.write_bytes(file.read_bytes()[:-40])
    orphan = plant(lake)
    with pytest.raises(PermanentError, match="damaged"):
        run_sweep(lake)
    assert orphan.exists()


def listing_only(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]) -> None:
    """The store answers with a part of what is there, without saying so."""
    make = finding_orphans.listing

    def changed(*given: Any, **named: Any) -> Any:
        listed = make(*given, **named)
        return lambda folder: iter(change(sorted(listed(folder), key=lambda file: file.path)))

    monkeypatch.setattr(finding_orphans, "listing", changed)


@pytest.mark.parametrize("keep", [0, 1, -1])
def test_a_listing_that_lacks_files_stops_it(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, keep: int
):
    """Empty, cut short, or without its last file: what is not shown cannot be compared."""
    plant(lake, "data/00")
    listing_only(monkeypatch, lambda files: files[:keep])
    check_stops(lake, "lacks files that it needs")


def test_a_table_that_lacks_a_file_stops_it(lake: Lakehouse):
    data = next(iter(lake.catalog.load_table(TABLE.identifier).scan().plan_files())).file.file_path
    Path(one_spelling(data)).unlink()
    check_stops(lake, "dp fsck")


def test_an_older_answer_after_a_newer_one_stops_it(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    """A replica of the catalog that is behind: it does not know the last commits' files."""
    older = metadata_of(lake)["metadata-log"][-1]["metadata-file"]
    answers = iter([pointer_of(lake), older])
    monkeypatch.setattr(orphan_names, "existing_pointer", lambda *_: next(answers))
    check_stops(lake, "which is older")


def test_a_catalog_that_is_behind_its_table_stops_it(lake: Lakehouse):
    """A restored dump: everything since then looks unnamed, and is old enough."""
    log = metadata_of(lake)["metadata-log"]
    lake.catalog.drop_table(TABLE.identifier)
    lake.catalog.register_table(TABLE.identifier, log[2]["metadata-file"])
    all_made_old(lake)
    check_stops(lake, "is of a later commit than")


def test_what_one_later_metadata_file_names_stays(lake: Lakehouse):
    """A commit whose outcome nobody knows, or a catalog that is one commit behind."""
    log = metadata_of(lake)["metadata-log"]
    before = log[-1]["metadata-file"]
    lake.catalog.drop_table(TABLE.identifier)
    lake.catalog.register_table(TABLE.identifier, before)
    all_made_old(lake)
    later = list((folder_of(lake) / "metadata").glob("*.metadata.json"))
    assert len(later) == len(log) + 1
    orphan = plant(lake)
    assert found(lake) == {orphan}
    newest = max(later)
    newest.write_bytes(newest.read_bytes()[:100])
    made_old(newest)
    check_stops(lake, "newer than what the catalog shows")


def test_files_of_a_dropped_table_in_the_same_folder_stop_it(lake: Lakehouse):
    """Dropped and made again under its name: 'dp undrop' may still bring the first one back."""
    lake.catalog.drop_table(TABLE.identifier)
    all_made_old_in(folder := Path(one_spelling(str(lake.settings.warehouse.root))) / "shop")
    assert list(folder.rglob("*.metadata.json"))
    make_table(lake, TABLE)
    check_stops(lake, "is of another table")


def all_made_old_in(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            made_old(path)


def test_a_file_from_the_future_stops_it(lake: Lakehouse):
    """This machine's clock, or the store's, is wrong: no age can be believed."""
    ahead = plant(lake, "data/ahead", hours=-2)
    check_stops(lake, "ahead of this machine")
    made_old(ahead, hours=-0.5)
    assert ahead not in found(lake)


def test_a_table_from_the_future_stops_it(lake: Lakehouse):
    plant(lake)
    with pytest.raises(MaintenanceRefusedError, match="ahead of this machine"):
        search(lake, at_ms=now_ms() - 2 * HOUR_MS)


def test_very_many_or_much_is_asked_for(lake: Lakehouse, monkeypatch: pytest.MonkeyPatch):
    plant(lake)
    assert search(lake).asks == ""
    assert orphan_rules.MAX_FILES == 1000
    whole = sum(path.stat().st_size for path in folder_of(lake).rglob("*") if path.is_file())
    much = plant(lake, "data/much", content=b"x" * (whole // 9))
    assert "more than 10 % of" in search(lake).asks
    much.unlink()
    monkeypatch.setattr(orphan_rules, "MAX_FILES", 3)
    for number in range(3):
        assert search(lake).asks == ""
        plant(lake, f"data/{number}", content=b"")
    assert search(lake).asks == "4 files are named by nothing, more than 3"
