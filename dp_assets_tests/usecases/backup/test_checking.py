"""fsck: every kind of damage found, named, and said what it breaks."""

from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.pyiceberg_pointer import swap_pointer
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.fsck import Problem
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings
from dp_assets.usecases.backup.checking import fsck
from dp_assets_tests.adapters.real_lakehouse import ORDERS, local, metadata_files, pointer_of
from dp_assets_tests.usecases.backup.backups import NAMES, SeenFiles, append, backup, lakehouse
from dp_assets_tests.usecases.backup.damage import (
    check,
    closure_of,
    files_of,
    first_data_file,
    flip,
    hashes,
    only,
    told,
    warehouse,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two tables of three commits of ten rows, and a recovery point of them."""
    found = lakehouse(tmp_path, commits=3)
    backup(found)
    return found


@pytest.mark.parametrize("deep", [False, True])
def test_a_whole_lakehouse_has_no_findings_and_is_not_changed(settings: Settings, deep: bool):
    before = hashes(warehouse(settings))
    found = check(settings, deep=deep)
    assert found.findings == ()
    files = len(closure_of(settings).files) + len(closure_of(settings, NAMES).files)
    assert (found.tables, found.files) == (2, files)
    assert found.compared == (files if deep else 0)
    assert found.bytes == sum(
        local(f.path).stat().st_size for t in (ORDERS, NAMES) for f in closure_of(settings, t).files
    )
    assert hashes(warehouse(settings)) == before


def test_a_lost_file_names_every_snapshot_that_shares_it(settings: Settings):
    closure, lost = closure_of(settings), first_data_file(settings)
    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        with table.manage_snapshots() as manage:
            manage.create_tag(closure.snapshots[1].snapshot_id, "audit")
    lost.unlink()
    finding = only(check(settings))
    assert (finding.problem, local(finding.path)) == (Problem.MISSING, lost)
    assert finding.table == "raw.orders"
    assert finding.snapshots == tuple(s.snapshot_id for s in closure.snapshots)
    assert finding.refs == ("audit", "main")
    assert (finding.rows, finding.rows_exact) == (10, True)
    assert "dp repair raw.orders" in finding.hint


def test_short_empty_and_long_files_are_told_apart(settings: Settings):
    short, empty, long = files_of(settings, FileKind.DATA)
    short.write_bytes(short.read_bytes()[:-1])
    empty.write_bytes(b"")
    with long.open("ab") as file:
        file.write(b"x")
    assert told(check(settings)) == {short: "wrong size", empty: "empty", long: "wrong size"}


def test_lists_and_manifests_that_are_gone_or_damaged(settings: Settings):
    closure = closure_of(settings)
    lists, manifests = (
        files_of(settings, FileKind.MANIFEST_LIST),
        files_of(settings, FileKind.MANIFEST),
    )
    lists[0].unlink()
    lists[1].write_bytes(lists[1].read_bytes()[:-1])
    finding = {local(f.path): f for f in check(settings).findings}
    assert finding[lists[0]].problem is Problem.MISSING
    assert finding[lists[0]].snapshots == (closure.snapshots[0].snapshot_id,)
    assert finding[lists[0]].rows == 0  # the current snapshot does not need it
    assert finding[lists[1]].problem is Problem.UNREADABLE
    lists[2].write_bytes(b"")
    finding = {local(f.path): f for f in check(settings).findings}
    assert (finding[lists[2]].problem, finding[lists[2]].rows) == (Problem.EMPTY, 30)
    for manifest in manifests:
        assert manifest.exists()


def test_a_manifest_that_is_gone_costs_the_rows_that_its_list_says(settings: Settings):
    closure = closure_of(settings)
    (first,) = closure.snapshots[0].manifests
    local(first.path).unlink()
    finding = only(check(settings))
    assert finding.kind is FileKind.MANIFEST
    assert (finding.rows, finding.rows_exact) == (10, True)
    assert finding.snapshots == tuple(s.snapshot_id for s in closure.snapshots)


def test_one_tables_damage_hides_no_other(settings: Settings):
    for file in metadata_files(settings):
        file.write_bytes(b"")
    lost = first_data_file(settings, NAMES)
    lost.unlink()
    found = check(settings)
    assert {(f.table, f.problem) for f in found.findings} == {
        ("raw.orders", Problem.EMPTY),
        ("raw.names", Problem.MISSING),
    }
    broken = next(f for f in found.findings if f.kind is FileKind.METADATA)
    assert broken.rows is None
    assert "dp doctor --repair" in broken.hint
    assert told(check(settings, "raw.names")) == {lost: "missing"}


@pytest.mark.parametrize("where", ["data", "footer"])
def test_only_a_deep_look_sees_an_altered_byte(settings: Settings, where: str):
    altered = first_data_file(settings)
    flip(altered, 10 if where == "data" else -6)
    assert check(settings).findings == ()
    finding = only(check(settings, deep=True))
    assert (finding.problem, local(finding.path)) == (Problem.ALTERED, altered)


def test_without_a_repository_a_deep_look_still_reads_footers(settings: Settings):
    altered = first_data_file(settings)
    flip(altered, -6)
    found = check(settings, deep=True, compare=False)
    assert (only(found).problem, found.compared) == (Problem.UNREADABLE, 0)


def test_files_that_changed_places_have_the_wrong_rows_or_bytes(tmp_path: Path):
    settings = lakehouse(tmp_path, commits=1)
    append(settings, first=10)
    append(settings, first=100)
    one, two = [p for p in files_of(settings, FileKind.DATA) if p != first_data_file(settings)]
    assert one.stat().st_size == two.stat().st_size
    backup(settings)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    assert check(settings).findings == ()
    assert told(check(settings, deep=True)) == {one: "altered", two: "altered"}


def test_a_damaged_file_that_was_backed_up_since_is_still_found(settings: Settings):
    altered = first_data_file(settings)
    flip(altered, 10)
    append(settings, first=50)
    assert backup(settings).record.complete
    assert told(check(settings, deep=True)) == {altered: "altered"}


def test_a_pointer_that_was_set_back_is_found_with_the_commits(settings: Settings):
    older, newest = metadata_files(settings)[-2:]
    closure = closure_of(settings)
    with opened(settings) as lake:
        assert isinstance(lake.catalog, SqlCatalog)
        swap_pointer(lake.catalog, ORDERS, old=pointer_of(settings), new=f"file://{older}")
    finding = only(check(settings))
    assert finding.problem is Problem.BEHIND
    assert local(finding.path) == older
    assert finding.snapshots == (closure.snapshots[-1].snapshot_id,)
    assert str(newest) in finding.what
    assert "with 30 rows" in finding.what


def test_two_tables_with_one_location_are_named(settings: Settings):
    with opened(settings) as lake:
        lake.catalog.register_table(("raw", "twin"), pointer_of(settings))
    finding = only(check(settings))
    assert finding.problem is Problem.SHARED
    assert finding.what == "raw.orders, raw.twin share it"


def test_a_file_that_goes_with_a_commit_is_no_finding(settings: Settings):
    """Another engine expires a snapshot while the table is looked at: it is looked at again."""
    first = closure_of(settings).snapshots[0]
    moved: list[str] = []

    def expire(location: str) -> None:
        if location.endswith(".metadata.json") and not moved:
            moved.append(location)
            with opened(settings) as lake:
                table = lake.catalog.load_table(ORDERS.identifier)
                table.maintenance.expire_snapshots().by_id(first.snapshot_id).commit()
            local(first.manifest_list).unlink()

    with opened(settings) as lake:
        found = fsck(lake, ["raw.orders"], files=SeenFiles(on_open=expire))
    assert moved
    assert found.findings == ()


def test_a_name_that_is_no_table_is_refused(settings: Settings):
    with pytest.raises(ConfigurationError, match=r"there is no table raw\.order"):
        check(settings, "raw.order")


def test_a_file_that_may_not_be_read_is_not_called_damaged(settings: Settings):
    locked = first_data_file(settings)

    def refuse(location: str) -> None:
        if local(location) == locked:  # as a right that is missing; root may read everything
            raise PermanentError(f"read {locked}: permission denied", hint="ask its owner")

    with opened(settings) as lake:
        found = fsck(lake, ["raw.orders"], deep=True, files=SeenFiles(on_open=refuse))
    assert told(found) == {locked: "not checked"}


def test_a_table_that_was_made_again_is_not_compared_with_the_old_one(settings: Settings):
    with opened(settings) as lake:
        lake.catalog.drop_table(ORDERS.identifier)
        schema = lake.catalog.load_table(NAMES.identifier).schema()
        lake.catalog.create_table(TableId("raw", "orders").identifier, schema)
    append(settings, first=0)
    found = check(settings, "raw.orders", deep=True)
    assert (found.findings, found.compared) == ((), 0)
