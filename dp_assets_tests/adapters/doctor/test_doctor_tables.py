"""Reading every pointer while others write, and moving one back."""

import pytest
from sqlalchemy import text

from dp_assets.adapters.doctor import doctor_tables
from dp_assets.adapters.doctor.doctor_metadata import examine_metadata
from dp_assets.adapters.doctor.doctor_tables import move_back, read_tables, states_before
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import opened
from dp_assets_tests.adapters import real_lakehouse as real

IO = ReadingIO({})


@pytest.fixture
def settings(tmp_path):
    return real.make_lakehouse(tmp_path)


@pytest.fixture
def lake(settings):
    with opened(settings) as lake:
        yield lake


def by_name(location: str) -> int | None:
    name = location.rpartition("/")[2]
    return int(name.split("-")[0]) if name else None


def test_every_file_is_opened_once(lake, monkeypatch):
    opened_files = []

    def counting(io, location):
        opened_files.append(location)
        return examine_metadata(io, location)

    monkeypatch.setattr(doctor_tables, "examine_metadata", counting)
    (found,) = read_tables(lake.catalog, number=by_name)
    assert opened_files == [found.pointer.location]
    assert (found.pointer.is_usable, found.newer) == (True, ())


def test_a_commit_between_listing_and_reading_is_no_damage(lake, settings, monkeypatch):
    *_, before, newest = real.metadata_files(settings)
    listed = {real.ORDERS: f"file://{before}"}
    before.unlink()
    monkeypatch.setattr(doctor_tables, "list_pointers", lambda _: listed)
    (found,) = read_tables(lake.catalog, number=by_name)
    assert found.pointer.location == f"file://{newest}"
    assert found.pointer.is_usable


def test_a_table_dropped_between_listing_and_reading_is_left_out(lake, monkeypatch):
    dropped = {TableId("raw", "dropped"): "file:///nowhere/00001-a.metadata.json"}
    monkeypatch.setattr(doctor_tables, "list_pointers", lambda _: dropped)
    assert list(read_tables(lake.catalog, number=by_name)) == []


def test_files_numbered_above_the_pointer_are_told(lake, settings):
    newest = real.metadata_files(settings)[-1]
    staged = newest.with_name("00004-staged.metadata.json")
    staged.write_bytes(b"")
    (found,) = read_tables(lake.catalog, number=by_name)
    assert found.newer == (f"file://{staged}",)


def test_a_table_without_pointer_is_a_problem(lake):
    with lake.catalog.engine.begin() as connection:
        connection.execute(text("UPDATE iceberg_tables SET metadata_location = NULL"))
    (found,) = read_tables(lake.catalog, number=by_name)
    assert not found.pointer.is_readable


def test_other_states_are_read_only_when_the_recorded_one_is_no_use(lake, settings):
    created, first, before, newest = real.metadata_files(settings)
    found = states_before(lake.catalog, real.ORDERS, f"file://{newest}")
    assert found.previous.location == f"file://{before}"
    assert found.others == ()
    before.write_bytes(b"")
    found = states_before(lake.catalog, real.ORDERS, f"file://{newest}")
    assert [f.location for f in found.others] == [f"file://{f}" for f in (created, first, before)]


def test_a_table_that_does_not_load_after_its_move_is_told(lake, settings):
    *_, before, newest = real.metadata_files(settings)
    newest.write_bytes(b"")
    target = examine_metadata(IO, f"file://{before}")

    def cut_the_manifest_list():
        manifests = before.parent.glob(f"snap-{target.head_id}-*.avro")
        next(manifests).write_bytes(b"")

    with pytest.raises(PermanentError, match=r"moved back to .* and does not load"):
        move_back(
            lake.catalog,
            real.ORDERS,
            broken=f"file://{newest}",
            target=target,
            before_swap=cut_the_manifest_list,
        )
