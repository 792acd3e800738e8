"""Listing and facts on real catalogs and real tables."""

import gzip
import json
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError, ServerError
from pyiceberg.io import load_file_io
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import MonthTransform
from pyiceberg.types import DateType, LongType, NestedField
from sqlalchemy import event, text

from dp_assets.adapters.pyiceberg_inventory import count_files, list_pointers, read_facts
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId

ORDERS, DEEP = TableId("raw", "orders"), TableId("a.b.c", "deep")
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False, doc="Key."),
    NestedField(2, "day", DateType(), required=False),
)
ROWS = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "day": pa.array([0, 1, 50], pa.date32())})


@pytest.fixture
def catalog(tmp_path):
    made = SqlCatalog(
        "lake", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse"
    )
    yield made
    made.engine.dispose()


@pytest.fixture
def orders(catalog):
    """raw.orders: by month, two appends, then one row deleted."""
    catalog.create_namespace("raw")
    spec = PartitionSpec(PartitionField(2, 1000, MonthTransform(), "month"))
    table = catalog.create_table(
        ORDERS.identifier,
        SCHEMA,
        partition_spec=spec,
        properties={"owner": "team:sales", "dp.writer": "raw/orders", "comment": "All orders."},
    )
    table.append(ROWS)
    table.append(ROWS)
    table.delete("id = 3")
    return catalog.load_table(ORDERS.identifier)


def local(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def test_facts_of_a_real_table(catalog, orders):
    found = read_facts(catalog, ORDERS, list_pointers(catalog)[ORDERS])
    live = orders.inspect.files()
    assert found.problem == ""
    assert found.rows == orders.scan().count() == 4
    assert found.files == live.num_rows
    assert found.bytes == sum(live["file_size_in_bytes"].to_pylist())
    assert found.delete_files == 0
    assert found.snapshots == len(orders.snapshots())
    assert found.head_snapshot_id == orders.current_snapshot().snapshot_id
    assert found.last_commit_ms == orders.current_snapshot().timestamp_ms
    assert found.uuid == str(orders.metadata.table_uuid)
    assert (found.name, found.namespace) == ("raw.orders", "raw")
    assert (found.location, found.format_version) == (orders.location(), 2)
    assert (found.owner, found.writer, found.adopted) == ("team:sales", "raw/orders", True)
    assert found.partition_spec == "month(day)"
    assert found.columns[0] == ("id", "long", False, "Key.")


def test_the_manifests_say_the_same_as_the_summary(catalog, orders):
    pointer = list_pointers(catalog)[ORDERS]
    metadata = json.loads(local(pointer).read_bytes())
    head = next(
        s for s in metadata["snapshots"] if s["snapshot-id"] == metadata["current-snapshot-id"]
    )
    counted = count_files(load_file_io({}), head)
    summary = read_facts(catalog, ORDERS, pointer)
    for snapshot in metadata["snapshots"]:
        snapshot["summary"] = {"operation": "append"}
    local(pointer).write_text(json.dumps(metadata))
    assert read_facts(catalog, ORDERS, pointer) == summary
    assert (counted.rows, counted.files, counted.bytes) == (
        summary.rows,
        summary.files,
        summary.bytes,
    )


def test_a_snapshot_without_totals_and_manifest_list_is_a_problem_of_that_table(catalog, orders):
    pointer = list_pointers(catalog)[ORDERS]
    metadata = json.loads(local(pointer).read_bytes())
    for snapshot in metadata["snapshots"]:
        del snapshot["summary"], snapshot["manifest-list"]
    local(pointer).write_text(json.dumps(metadata))
    assert "neither totals nor manifest list" in read_facts(catalog, ORDERS, pointer).problem


def test_gzipped_metadata_is_read(catalog, orders):
    pointer = list_pointers(catalog)[ORDERS]
    plain = read_facts(catalog, ORDERS, pointer)
    packed = pointer.replace(".metadata.json", ".gz.metadata.json")
    local(packed).write_bytes(gzip.compress(local(pointer).read_bytes()))
    found = read_facts(catalog, ORDERS, packed)
    assert (found.uuid, found.rows, found.problem) == (plain.uuid, 4, "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "missing", id="missing"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b'{"format-version": 2, "sch', "damaged", id="cut"),
        pytest.param(b"\x1f\x8b\x08\x00", "damaged", id="cut-gzip"),
        pytest.param(b"[]", "not Iceberg table metadata", id="another-json"),
        pytest.param(b'{"format-version": 2}', "schema", id="hollow"),
        pytest.param(b'{"format-version": 2, "schema": 7}', "", id="wrong-types"),
        pytest.param(b"[" * 100_000, "", id="nested-without-end"),
    ],
)
def test_broken_metadata_is_a_problem_never_an_error(catalog, orders, content, said):
    pointer = list_pointers(catalog)[ORDERS]
    file = local(pointer)
    file.unlink() if content is None else file.write_bytes(content)
    found = read_facts(catalog, ORDERS, pointer)
    assert said in found.problem
    assert found.problem
    assert (found.table, found.metadata_location, found.rows) == (ORDERS, pointer, None)


def test_one_query_lists_nested_namespaces_and_leaves_views_and_other_catalogs_out(catalog, orders):
    catalog.create_namespace("a.b.c")
    catalog.create_table(DEEP.identifier, SCHEMA)
    other = SqlCatalog("other", uri=str(catalog.engine.url), warehouse="file:///nowhere")
    other.create_namespace("raw")
    with catalog.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name,"
                " metadata_location, iceberg_type) VALUES ('lake', 'raw', 'v', 'x', 'VIEW'),"
                " ('other', 'raw', 't', 'x', 'TABLE'), ('lake', 'raw', 'lost', NULL, 'TABLE')"
            )
        )
    statements = []
    event.listen(catalog.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    listed = list_pointers(catalog)
    assert len(statements) == 1
    assert listed == {
        ORDERS: catalog.load_table(ORDERS.identifier).metadata_location,
        DEEP: catalog.load_table(DEEP.identifier).metadata_location,
        TableId("raw", "lost"): "",
    }
    assert "names no metadata file" in read_facts(catalog, TableId("raw", "lost"), "").problem
    other.engine.dispose()


def test_a_catalog_of_the_first_schema_version_is_listed(catalog, orders):
    with catalog.engine.begin() as connection:
        connection.execute(text("ALTER TABLE iceberg_tables DROP COLUMN iceberg_type"))
    assert list(list_pointers(catalog)) == [ORDERS]


def test_a_locked_catalog_is_transient_and_a_damaged_one_is_not(tmp_path, orders):
    uri = f"sqlite:///{tmp_path}/catalog.db?timeout=0"
    impatient = SqlCatalog("lake", uri=uri, warehouse="file:///w", init_catalog_tables="false")
    with orders.catalog.engine.connect() as holder:
        holder.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(TransientError, match="locked by"):
            list_pointers(impatient)
    impatient.engine.dispose()
    orders.catalog.engine.dispose()
    (tmp_path / "catalog.db").write_bytes(b"not a database" * 100)
    with pytest.raises(PermanentError, match=r"list the tables of catalog lake.*not a database"):
        list_pointers(impatient)
    impatient.engine.dispose()


class Walked:
    """A catalog that is not SQL: it answers by listing and loading, as REST catalogs do."""

    def __init__(self, inner: SqlCatalog, broken: dict[str, Exception]) -> None:
        self.name = inner.name
        self.list_namespaces = inner.list_namespaces
        self.list_tables = inner.list_tables
        self._inner = inner
        self._broken = broken

    def load_table(self, identifier: tuple[str, ...]):
        if error := self._broken.get(identifier[-1]):
            raise error
        return self._inner.load_table(identifier)


def test_other_catalogs_are_walked_and_an_unloadable_table_is_not_taken_for_dropped(
    catalog, orders
):
    catalog.create_namespace("a.b.c")
    catalog.create_table(DEEP.identifier, SCHEMA)
    for name in ("broken", "dropped"):
        catalog.create_table(("raw", name), SCHEMA)
    walked = Walked(catalog, {"broken": ServerError("500"), "dropped": NoSuchTableError("404")})
    listed = list_pointers(walked)
    assert listed == {
        ORDERS: orders.metadata_location,
        DEEP: catalog.load_table(DEEP.identifier).metadata_location,
        TableId("raw", "broken"): "",
    }
    assert read_facts(walked, ORDERS, listed[ORDERS]).rows == 4
    gone = TableId("raw", "dropped")
    assert read_facts(walked, gone, "file:///x.json").problem == "404"


def test_a_listing_that_fails_midway_fails_whole(catalog, orders):
    walked = Walked(catalog, {})
    walked.list_tables = mock.Mock(side_effect=ServerError("the service is away"))
    with pytest.raises(Exception, match="the service is away"):
        list_pointers(walked)
