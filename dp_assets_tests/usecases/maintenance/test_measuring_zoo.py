"""Tables that Spark wrote, measured, against what PyIceberg's own inspection says of them."""

from collections import Counter, defaultdict

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import DataFileContent
from pyiceberg.table import StaticTable

from dp_assets.core.ids import TableId
from dp_assets.ports.closure import ParsedFiles
from dp_assets.usecases.maintenance.measuring import health_at
from dp_assets_tests.zoo import TABLES, Zoo, unpack_zoo

NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("zoo"))


class MappedIO(PyArrowFileIO):
    """PyIceberg's files, read where the zoo was unpacked."""

    zoo: Zoo

    def new_input(self, location: str):
        return super().new_input(str(self.zoo.path(location)))


@pytest.fixture
def inspected(zoo, monkeypatch):
    """The table as PyIceberg sees it."""
    MappedIO.zoo = zoo
    monkeypatch.setattr("pyiceberg.table.load_file_io", lambda *_, **__: MappedIO())

    def open_table(name: str) -> StaticTable:
        table = StaticTable.from_metadata(str(zoo.path(zoo.table(name))))
        table.io = MappedIO()
        return table

    return open_table


def measure(zoo, name: str):
    return health_at(zoo.files, zoo.table(name), table=TableId("zoo", name), now_ms=NOW_MS)


def live(table: StaticTable, snapshot):
    """Entry by entry, as PyIceberg reads manifests."""
    return [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io)
    ]


@pytest.mark.parametrize("name", TABLES)
def test_figures_of_the_head_are_those_of_pyiceberg(zoo, inspected, name):
    table, found = inspected(name), measure(zoo, name)
    head = table.current_snapshot()
    files = live(table, head) if head else []
    data = [f for f in files if f.content == DataFileContent.DATA]
    deletes = [f for f in files if f.content != DataFileContent.DATA]
    assert (found.files, found.bytes, found.rows) == (
        len(data),
        sum(f.file_size_in_bytes for f in data),
        sum(f.record_count for f in data),
    )
    assert (found.delete_files, found.deleted_rows) == (
        len(deletes),
        sum(f.record_count for f in deletes),
    )
    manifests = head.manifests(table.io) if head else []
    assert found.manifests == len(manifests)
    sizes = [zoo.path(one.manifest_path).stat().st_size for one in manifests]
    assert found.manifest_bytes == sum(sizes)
    assert found.snapshots == len(table.metadata.snapshots)
    times = [s.timestamp_ms for s in table.metadata.snapshots]
    assert found.oldest_snapshot_ms == (min(times) if times else None)
    assert found.metadata_bytes == zoo.path(zoo.table(name)).stat().st_size
    assert (found.head, found.uuid) == (
        head.snapshot_id if head else None,
        str(table.metadata.table_uuid),
    )


@pytest.mark.parametrize("name", TABLES)
def test_old_bytes_are_what_no_file_of_the_head_is(zoo, inspected, name):
    table, found = inspected(name), measure(zoo, name)
    of_all = {f.file_path: f for s in table.metadata.snapshots for f in live(table, s)}
    head = table.current_snapshot()
    of_head = {f.file_path for f in live(table, head)} if head else set()
    old = [f.file_size_in_bytes for path, f in of_all.items() if path not in of_head]
    assert found.old_bytes == sum(old)


@pytest.mark.parametrize("name", TABLES)
def test_partitions_add_up_to_the_table(zoo, inspected, name):
    table, found = inspected(name), measure(zoo, name)
    head = table.current_snapshot()
    expected: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for file in live(table, head) if head else []:
        values = (file.spec_id, str(file.partition))
        is_data = file.content == DataFileContent.DATA
        expected[values]["files"] += is_data
        expected[values]["bytes"] += file.file_size_in_bytes * is_data
        expected[values]["deletes"] += not is_data
    assert found.partition_count == len(expected)
    assert len(found.partitions) == min(20, len(expected))
    assert len({(p.spec_id, p.partition) for p in found.partitions}) == len(found.partitions)
    if len(expected) <= 20:
        assert sorted((p.spec_id, p.files, p.bytes, p.delete_files) for p in found.partitions) == (
            sorted(
                (spec, n["files"], n["bytes"], n["deletes"]) for (spec, _), n in expected.items()
            )
        )


def test_partitions_of_two_specs_and_awkward_values_are_readable(zoo):
    found = {(p.spec_id, p.partition) for p in measure(zoo, "v2_mor").partitions}
    days = ("2026-01-01", "2026-01-02")
    values = ("grüße=1", "x/y%25", "a b")
    assert found == {(0, f"cat={cat}, ts_day={day}") for cat in values for day in days} | {
        (2, f"cat={cat}, key_bucket_2={bucket}") for cat in values for bucket in (0, 1)
    }


def test_partitions_of_rare_types_are_readable(zoo):
    found = {p.partition for p in measure(zoo, "types").partitions}
    uuid = "123e4567-e89b-12d3-a456-426614174000"
    assert f"u={uuid}, d=0.0000, tz_hour=9999-12-31T23, b_trunc=0xff00, f=nan" in found
    assert "u=null, d=0.3333, tz_hour=9999-12-31T23, b_trunc=0xff00, f=-0.0" in found


def test_manifests_kept_from_a_reading_are_not_read_again(zoo, monkeypatch):
    known, read = ParsedFiles(), []
    real = type(zoo.files).read
    monkeypatch.setattr(
        type(zoo.files), "read", lambda self, at: (read.append(at), real(self, at))[1]
    )
    name = "v2_mor"
    at = {"table": TableId("zoo", name), "now_ms": NOW_MS, "known": known}
    first = health_at(zoo.files, zoo.table(name), **at)
    assert len(read) == len(set(read)) > 10
    read.clear()
    assert health_at(zoo.files, zoo.table(name), **at) == first
    assert read == [zoo.table(name)]
