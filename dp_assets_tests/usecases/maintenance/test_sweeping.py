"""Sweeps for health over a real lakehouse: what is in the spool, in ``ops`` and in the state."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import IcebergTables
from sqlalchemy import insert
from sqlalchemy.orm import Session

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.health_state import read_health
from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.health_state import Unmeasured
from dp_assets.settings import load_settings
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.looking import past_health
from dp_assets.usecases.maintenance.sweeping import Swept, state_file, sweep

START_MS = 1_900_000_000_000
ROWS = pa.table({"id": pa.array([1, 2], pa.int64())})
A, B, OWN = TableId("raw", "a"), TableId("raw", "b"), TABLE_HEALTH.table


@dataclass
class Sweeps:
    """A lakehouse that is swept, hour by hour."""

    lake: Lakehouse
    now_ms: int = START_MS
    told: list[TableId] = field(default_factory=list)

    def create(self, name: str, appends: int = 1) -> None:
        self.lake.catalog.create_namespace_if_not_exists(name.rpartition(".")[0])
        self.lake.catalog.create_table(name, ROWS.schema)
        self.append(name, appends)

    def append(self, name: str, times: int = 1) -> None:
        table = self.lake.catalog.load_table(name)
        for _ in range(times):
            table.append(ROWS)

    def sweep(self, after_ms: int = HOUR_MS) -> Swept:
        self.now_ms += after_ms
        return sweep(
            self.lake,
            now_ms=self.now_ms,
            run_id="run-1",
            tell=lambda table, _: self.told.append(table),
        )

    def spooled(self) -> list[dict]:
        return [dict(row) for row in self.lake.spool.read(self.lake.spool.pending(OWN))]

    def rows(self) -> list[dict]:
        table = self.lake.catalog.load_table(OWN.identifier)
        return sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["measured_at"])

    def saved(self):
        return read_health(state_file(self.lake.settings)).state

    def break_metadata(self, name: str) -> Path:
        pointer = self.lake.catalog.load_table(name).metadata_location
        path = local_path(pointer)
        assert path
        path.write_bytes(b"")
        return path


@pytest.fixture
def sweeps(tmp_path, monkeypatch):
    monkeypatch.delenv("DP_STATE", raising=False)
    file = tmp_path / "lakehouse.yaml"
    file.write_text("environment: test\n")
    settings = load_settings(file, env={})
    initialise(settings)
    with opened(settings) as lake:
        found = Sweeps(lake)
        found.create("raw.a", appends=3)
        found.create("raw.b")
        yield found


@pytest.fixture
def read(monkeypatch):
    """Every file that is read from now on."""
    found = []
    real = CatalogFiles.read
    monkeypatch.setattr(
        CatalogFiles, "read", lambda self, at: (found.append(at), real(self, at))[1]
    )
    return found


def test_a_first_sweep_writes_one_row_per_table(sweeps):
    done = sweeps.sweep()
    rows = {row["table"]: row for row in sweeps.spooled()}
    assert set(rows) == {"raw.a", "raw.b"}
    table = sweeps.lake.catalog.load_table("raw.a")
    sizes = table.inspect.files().column("file_size_in_bytes").to_pylist()
    a = rows["raw.a"]
    assert (a["files"], a["bytes"], a["rows"], a["small_files"]) == (3, sum(sizes), 6, 3)
    assert (a["snapshots"], a["manifests"], a["uuid"]) == (3, 3, str(table.metadata.table_uuid))
    assert (a["pointer"], a["run_id"]) == (table.metadata_location, "run-1")
    assert sweeps.told == [A, B]
    assert done.problems == ()


def test_only_the_table_that_moved_is_read_and_noted(sweeps, read):
    sweeps.sweep()
    sweeps.append("raw.b")
    read.clear()
    sweeps.told.clear()
    sweeps.sweep()
    assert sweeps.told == [B]
    assert read
    assert all("/raw/b/" in location for location in read)
    assert len(read) == len(set(read))
    assert [row["table"] for row in sweeps.spooled()] == ["raw.a", "raw.b", "raw.b"]


def test_an_idle_lake_stays_idle(sweeps, read):
    """Sweeps and flushes go on for days; after the first, there is no row and no snapshot."""
    sweeps.sweep()
    sweeps.lake.flush(at_once=True)
    sweeps.sweep()
    pointers, state = list_pointers(sweeps.lake.catalog), sweeps.saved()
    read.clear()
    for _ in range(100):
        assert sweeps.sweep().news == ()
        assert sweeps.lake.flush(at_once=True) == ()
    assert sweeps.now_ms > START_MS + 4 * DAY_MS
    assert (list_pointers(sweeps.lake.catalog), sweeps.saved()) == (pointers, state)
    assert read == []
    assert len(sweeps.rows()) == 2


def test_tables_of_ours_are_measured_at_most_daily(sweeps):
    sweeps.create("ops.journal")
    sweeps.sweep()
    sweeps.append("ops.journal")
    sweeps.append("raw.a")
    assert [str(t) for t, _ in sweeps.sweep().news] == ["raw.a"]
    assert [str(t) for t, _ in sweeps.sweep(after_ms=DAY_MS).news] == ["ops.journal"]


def test_the_table_of_the_rows_is_measured_along_with_others_only(sweeps):
    sweeps.sweep()
    sweeps.lake.flush(at_once=True)
    assert sweeps.sweep(after_ms=2 * DAY_MS).news == ()
    sweeps.append("raw.a")
    assert [table for table, _ in sweeps.sweep(after_ms=2 * DAY_MS).news] == [OWN, A]


def test_a_table_that_cannot_be_read_gives_a_reason_once_and_is_tried_again(sweeps):
    sweeps.create("raw.c")
    path = sweeps.break_metadata("raw.c")
    sweeps.sweep()
    rows = {row["table"]: row for row in sweeps.spooled()}
    assert "is empty" in rows["raw.c"]["problem"]
    assert rows["raw.c"].get("files") is None
    assert rows["raw.a"].get("problem") is None
    assert isinstance(sweeps.saved().tables[TableId("raw", "c")], Unmeasured)
    assert sweeps.sweep().news == ()
    older = sorted(path.parent.glob("*.metadata.json"))[-2]
    path.write_bytes(older.read_bytes())
    assert [str(table) for table, _ in sweeps.sweep().news] == ["raw.c"]
    assert sweeps.sweep().unmeasured == ()


@pytest.mark.parametrize("missing", ["manifest", "list", "nonsense"])
def test_damage_below_the_metadata_file_is_one_tables_problem(sweeps, missing):
    table = sweeps.lake.catalog.load_table("raw.a")
    snapshot = table.current_snapshot()
    if missing == "nonsense":
        metadata = local_path(table.metadata_location)
        text = metadata.read_text().replace('"fields":', '"felder":')
        metadata.write_text(text)
        sweeps.lake.catalog.load_table("raw.b")
    elif missing == "list":
        local_path(snapshot.manifest_list).unlink()
    else:
        local_path(snapshot.manifests(table.io)[0].manifest_path).unlink()
    found = dict(sweeps.sweep().news)
    assert found[B].files == 1
    if missing != "nonsense":
        assert isinstance(found[A], Unmeasured)
        assert "is gone; it breaks snapshot" in found[A].problem
    else:
        assert isinstance(found[A], Unmeasured)
        assert "makes no sense" in found[A].problem


def test_a_table_that_moves_on_while_it_is_read_is_read_where_it_is(sweeps, monkeypatch):
    """As an expiry does: a commit lands, and the file that was to be read is deleted."""
    table = sweeps.lake.catalog.load_table("raw.b")
    old, real = table.metadata_location, CatalogFiles.read

    def read(self, location):
        if location == old and local_path(old).exists():
            sweeps.append("raw.b")
            local_path(old).unlink()
        return real(self, location)

    monkeypatch.setattr(CatalogFiles, "read", read)
    found = dict(sweeps.sweep().news)[B]
    assert found.files == 2
    assert found.pointer == sweeps.lake.catalog.load_table("raw.b").metadata_location != old


def test_dropped_and_made_again_is_another_table(sweeps):
    sweeps.sweep()
    sweeps.lake.catalog.drop_table("raw.b")
    assert sweeps.sweep().plan.gone == (B,)
    assert B not in sweeps.saved().tables
    sweeps.create("raw.b")
    sweeps.sweep()
    first, second = (row["uuid"] for row in sweeps.spooled() if row["table"] == "raw.b")
    assert first != second


@pytest.mark.parametrize("content", [None, b"{", b'{"format": 99}'])
def test_without_its_state_everything_is_measured_again(sweeps, content):
    sweeps.sweep()
    before = sweeps.saved()
    path = state_file(sweeps.lake.settings)
    path.unlink() if content is None else path.write_bytes(content)
    done = sweeps.sweep(after_ms=0)
    assert [table for table, _ in done.news] == [A, B]
    assert sweeps.saved() == before
    assert bool(done.problems) == (content is not None)


def test_a_spool_that_is_full_does_not_fail_the_sweep(sweeps):
    sweeps.lake.settings.spool_dir.mkdir(parents=True, exist_ok=True)
    (sweeps.lake.settings.spool_dir / str(OWN)).write_bytes(b"in the way")
    done = sweeps.sweep()
    assert len(done.problems) == 1
    assert "keep health" in done.problems[0]
    assert set(sweeps.saved().tables) == {A, B}
    assert sweeps.sweep().news == ()


def test_history_has_rows_of_the_table_and_of_the_spool(sweeps):
    sweeps.sweep()
    sweeps.lake.flush(at_once=True)
    sweeps.append("raw.a")
    sweeps.sweep()
    past = past_health(sweeps.lake, "raw.a", most=10)
    assert [(one.at_ms, one.files) for one in past] == [
        (START_MS + 2 * HOUR_MS, 4),
        (START_MS + HOUR_MS, 3),
    ]


def test_two_thousand_tables_that_did_not_move_take_seconds(sweeps):
    """The limit is 10 s for the sweep; with the state of each table as big as it can be."""
    catalog = sweeps.lake.catalog
    pointer = catalog.load_table("raw.a").metadata_location
    names = [f"t{n:04}" for n in range(2000)]
    with Session(catalog.engine) as session:
        session.execute(
            insert(IcebergTables),
            [
                {
                    "catalog_name": catalog.name,
                    "table_namespace": "many",
                    "table_name": name,
                    "metadata_location": pointer,
                    "iceberg_type": "TABLE",
                }
                for name in names
            ],
        )
        session.commit()
    assert len(sweeps.sweep().news) == 2002
    started = time.process_time()
    done = sweeps.sweep()
    seconds = time.process_time() - started
    assert len(done.plan.unchanged) == 2002
    assert seconds < 10
