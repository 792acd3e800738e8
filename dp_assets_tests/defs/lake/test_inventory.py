from pathlib import Path

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

from dp_assets import keys
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.core.ids import TableId

NAMES = {"raw.a", "raw.b", "deep.er.c"}


def names(saved) -> set[str]:
    return {str(table) for table in saved.tables}


def lives(saved, name):
    return [life for life in saved.history if str(life.table) == name]


def metadata_of(result):
    [made] = result.asset_materializations_for_node("lake__inventory")
    return {key: entry.value for key, entry in made.metadata.items()}


def said_by(result) -> str:
    return result.failure_data_for_node("lake__inventory").user_failure_data.description


@pytest.fixture
def opened(monkeypatch):
    """Every location that was opened for reading, from now on."""
    locations = []

    def counted(real):
        def new_input(self, location):
            locations.append(location)
            return real(self, location)

        return new_input

    for io in (PyArrowFileIO, ReadingIO):
        monkeypatch.setattr(io, "new_input", counted(io.new_input))
    return locations


def test_partitions_and_state_are_what_the_catalog_holds(three_tables):
    result = three_tables.sweep()
    assert result.success
    assert three_tables.partitions == names(three_tables.saved) == NAMES
    assert three_tables.saved.tables[TableId("raw", "a")].rows == 2
    told = metadata_of(result)
    assert (told["tables"], told["added"], told["read"], told["foreign"]) == (3, 3, 3, 3)
    assert "| raw.a | 2 | 1 |" in told["biggest"].replace("  ", " ")
    [check] = result.get_asset_check_evaluations()
    assert check.passed


def test_created_dropped_and_renamed_tables(three_tables):
    three_tables.sweep()
    three_tables.create("raw.new")
    three_tables.catalog.drop_table("raw.a")
    three_tables.catalog.rename_table("raw.b", "raw.renamed")
    assert three_tables.sweep().success
    saved = three_tables.saved
    assert three_tables.partitions == names(saved) == {"raw.new", "raw.renamed", "deep.er.c"}
    [dropped], [old], [new] = (
        lives(saved, "raw.a"),
        lives(saved, "raw.b"),
        lives(saved, "raw.renamed"),
    )
    assert dropped.dropped_at_ms == old.dropped_at_ms == new.first_seen_ms == saved.swept_at_ms
    assert old.uuid == new.uuid


def test_a_table_dropped_and_created_again_has_two_lives(three_tables):
    three_tables.sweep()
    three_tables.catalog.drop_table("raw.a")
    three_tables.create("raw.a")
    three_tables.sweep()
    first, second = lives(three_tables.saved, "raw.a")
    assert first.uuid != second.uuid
    assert (first.dropped_at_ms, second.dropped_at_ms) == (second.first_seen_ms, None)


def test_a_sweep_opens_only_what_moved(three_tables, opened):
    three_tables.sweep()
    opened.clear()
    assert metadata_of(three_tables.sweep())["read"] == 0
    assert opened == []
    table = three_tables.catalog.load_table("raw.b")
    table.append(table.scan().to_arrow())
    opened.clear()
    assert metadata_of(three_tables.sweep())["moved"] == 1
    assert opened == [table.metadata_location]


def test_each_new_head_is_one_observation_with_the_snapshot_as_data_version(three_tables):
    def versions():
        key = keys.discovered("raw", "a")
        found = three_tables.instance.fetch_observations(key, limit=9).records
        return [record.asset_observation.data_version for record in reversed(found)]

    def head():
        return str(three_tables.catalog.load_table("raw.a").current_snapshot().snapshot_id)

    three_tables.sweep()
    first = head()
    with three_tables.catalog.load_table("raw.a").transaction() as change:
        change.set_properties(note="no new snapshot")
    three_tables.sweep()
    assert versions() == [first]
    table = three_tables.catalog.load_table("raw.a")
    table.append(table.scan().to_arrow())
    three_tables.sweep()
    assert versions() == [first, head()]


def test_a_broken_table_is_named_and_stops_nothing(three_tables):
    location = three_tables.break_metadata("raw.a")
    result = three_tables.sweep()
    assert result.success
    assert metadata_of(result)["unreadable"] == 1
    assert three_tables.partitions == NAMES
    assert "empty" in three_tables.saved.tables[TableId("raw", "a")].problem
    previous = sorted(Path(location.removeprefix("file://")).parent.glob("00000-*.json"))[0]
    Path(location.removeprefix("file://")).write_bytes(previous.read_bytes())
    three_tables.sweep()
    assert three_tables.saved.tables[TableId("raw", "a")].problem == ""
    assert len(lives(three_tables.saved, "raw.a")) == 1


def test_an_empty_listing_stops_it_and_changes_nothing(three_tables):
    three_tables.sweep()
    before = three_tables.state_file.read_bytes()
    for name in NAMES:
        three_tables.catalog.drop_table(name)
    result = three_tables.sweep()
    assert not result.success
    assert "3 of 3 tables are gone at once" in said_by(result)
    assert "allow_gone: 3" in said_by(result)
    assert result.retry_attempts_for_node("lake__inventory") == 0
    assert three_tables.state_file.read_bytes() == before
    assert three_tables.partitions == NAMES
    assert three_tables.sweep(allow_gone=3).success
    assert (three_tables.partitions, names(three_tables.saved)) == (set(), set())


def test_with_the_state_lost_too_the_partitions_still_stop_it(three_tables):
    three_tables.sweep()
    three_tables.state_file.write_bytes(b"{")
    for name in NAMES:
        three_tables.catalog.drop_table(name)
    assert "3 of 3 tables are gone" in said_by(three_tables.sweep())
    assert three_tables.partitions == NAMES


def test_a_lost_state_is_made_again(three_tables):
    three_tables.sweep()
    three_tables.state_file.write_bytes(b"{")
    assert three_tables.sweep().success
    assert names(three_tables.saved) == NAMES


def test_the_limits_come_from_the_settings(three_tables):
    three_tables.config.write_text("inventory:\n  max_gone_share: 0\n  max_gone_tables: 0\n")
    three_tables.sweep()
    three_tables.catalog.drop_table("raw.a")
    assert "1 of 3 tables are gone" in said_by(three_tables.sweep())


def test_a_name_no_partition_may_have_is_told_and_stops_nothing(three_tables):
    three_tables.catalog.create_table(
        ("raw", "odd\tname"), three_tables.catalog.load_table("raw.a").schema()
    )
    result = three_tables.sweep()
    assert result.success
    [check] = result.get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["without_partition"].value == ["raw.odd\tname"]
    assert three_tables.partitions == NAMES
