"""Compactions committed to whole lakehouses: under the lease, on a disk and in a REST catalog."""

from collections.abc import Generator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import TransientError
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.compaction import (
    CompactionPlan,
    FileStatistics,
    RewrittenGroup,
    WrittenFile,
)
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.committing import commit_compaction
from dp_assets_tests.recovery.rest_lakes import rest_settings
from dp_assets_tests.services import Rest
from dp_assets_tests.usecases.backup.backups import lakehouse
from dp_assets_tests.usecases.maintenance.compacting import plan_all
from dp_assets_tests.usecases.maintenance.things import NAME, SCHEMA, rows


@pytest.fixture(params=["disk", "rest"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Lakehouse, None, None]:
    """With ``raw.things`` of three commits of a row."""
    if request.param == "disk":
        settings = lakehouse(tmp_path, tables=())
    else:
        rest: Rest = request.getfixturevalue("rest")
        settings = rest_settings(tmp_path / "lakehouse.yaml", rest)
        initialise(settings)
    with opened(settings) as found:
        found.catalog.create_namespace_if_not_exists("raw")
        table = found.catalog.create_table(NAME.identifier, SCHEMA, properties={ADOPTED: "true"})
        for number in range(3):
            table.append(rows("a", [number]))
        yield found


def ids(lake: Lakehouse) -> list[int]:
    return sorted(lake.catalog.load_table(NAME.identifier).scan().to_arrow()["id"].to_pylist())


def rewrite(lake: Lakehouse) -> tuple[CompactionPlan, RewrittenGroup]:
    """All rows of the table in one new file, written by PyIceberg's file IO."""
    plan = plan_all(NAME, existing_pointer(lake.catalog, NAME), files=lake.files)
    table = lake.catalog.load_table(NAME.identifier)
    found = table.scan().to_arrow().cast(schema_to_pyarrow(SCHEMA))
    location = f"{table.location()}/data/compacted.parquet"
    with table.io.new_output(location).create() as sink:
        pq.write_table(found, sink)
    size = len(table.io.new_input(location))
    file = WrittenFile(location, size, found.num_rows, FileStatistics(), (4,))
    return plan, RewrittenGroup(plan.groups[0], (file,))


def test_it_commits_although_another_appends(lake: Lakehouse):
    plan, rewritten = rewrite(lake)
    todo = [lambda: lake.catalog.load_table(NAME.identifier).append(rows("a", [7]))]

    def guard() -> None:
        if todo:
            todo.pop()()

    done = commit_compaction(lake, plan, [rewritten], files=lake.files, run_id="run-1", guard=guard)
    assert (done.attempts, done.dropped) == (2, ())
    assert ids(lake) == [0, 1, 2, 7]
    table = lake.catalog.load_table(NAME.identifier)
    head = read_metadata(table.io, table.metadata_location)["snapshots"][-1]
    assert head["snapshot-id"] == done.snapshot_id
    assert head["summary"]["operation"] == "replace"
    assert head["summary"]["total-data-files"] == "2"
    assert lake.leases.held() == ()
    table.append(rows("b", [8]))
    table.delete("id = 1")
    assert ids(lake) == [0, 2, 7, 8]


def test_a_lease_that_is_taken_over_stops_the_commit(lake: Lakehouse):
    """As after a pause longer than its expiry."""
    plan, rewritten = rewrite(lake)
    pointer = existing_pointer(lake.catalog, NAME)

    def guard() -> None:
        (lease,) = lake.leases.held()
        lake.leases.release(lease)
        lake.leases.acquire(lease.name, owner="another", ttl_ms=60_000, wait_ms=0)

    with pytest.raises(TransientError, match="another"):
        commit_compaction(lake, plan, [rewritten], files=lake.files, run_id="run-1", guard=guard)
    assert existing_pointer(lake.catalog, NAME) == pointer
    assert ids(lake) == [0, 1, 2]
    assert lake.files.stat(rewritten.written[0].path) is None
