"""Finding what killed processes left behind, and leaving it there."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect

from dp_assets.adapters.doctor.doctor_leftovers import held_leases, spooled_rows, temporary_files
from dp_assets.adapters.lease_owner import owner_text
from dp_assets.adapters.spool import FolderSpool
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import opened
from dp_assets_tests.adapters import real_lakehouse as real

RESULTS = TableId("ops", "data_quality_results")


def test_temporary_files_of_a_killed_write_are_found(tmp_path: Path):
    killed = (
        "import os, pathlib, sys; from dp_assets.adapters import local_files as f;"
        "os.link = lambda *_: os._exit(9); f.create_file(pathlib.Path(sys.argv[1]) / 'x', b'y')"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "spool")], check=False)
    for name in ("dagster/.a.tmp", "spool/visible.tmp", "spool/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (found,) = temporary_files(tmp_path, leave_out=[tmp_path / "dagster"])
    assert Path(found.path).read_bytes() == b"y"
    assert abs(found.modified_ms - now_ms()) < 60_000


def test_spooled_rows_are_counted_and_damage_is_left_in_its_place(tmp_path: Path):
    spool = FolderSpool(tmp_path, now_ms=lambda: 1_700_000_000_000)
    spool.add(RESULTS, [{"a": 1}, {"a": 2}])
    spool.add(RESULTS, [{"a": 3}])
    (whole,), (cut,) = tmp_path.rglob("*.2.*.jsonl"), tmp_path.rglob("*.1.*.jsonl")
    cut.write_bytes(cut.read_bytes()[:-2])
    before = real.content(tmp_path)
    (found,) = spooled_rows(tmp_path)
    assert (found.table, found.rows, found.oldest_ms) == (str(RESULTS), 2, 1_700_000_000_000)
    assert found.damaged == (str(cut),)
    assert real.content(tmp_path) == before
    assert whole.exists()


def test_batches_set_aside_before_are_still_told(tmp_path: Path):
    spool = FolderSpool(tmp_path)
    spool.add(RESULTS, [{"a": 1}])
    (batch,) = spool.pending(RESULTS)
    spool.set_aside(batch, reason="does not fit")
    (found,) = spooled_rows(tmp_path)
    assert (found.rows, found.oldest_ms) == (0, None)
    assert [Path(path).name for path in found.damaged] == [batch.path.name]


def test_an_empty_or_missing_spool_holds_nothing(tmp_path: Path):
    assert spooled_rows(tmp_path / "none") == ()


def test_leases_of_ended_and_of_living_processes(tmp_path: Path):
    settings = real.make_lakehouse(tmp_path, commits=0)
    say = "from dp_assets.adapters.lease_owner import owner_text; print(owner_text('r'), end='')"
    said = subprocess.run([sys.executable, "-c", say], check=True, capture_output=True, text=True)
    if said.stdout.endswith("[unknown 0]"):
        pytest.skip("unavoidable: this system does not tell which process is which")
    with opened(settings) as lake:
        for name, owner in (("table/a.b", said.stdout), ("table/a.c", owner_text("r"))):
            lake.leases.acquire(name, owner=owner, ttl_ms=60_000, wait_ms=0)
        found = held_leases(lake.catalog, lake.leases)
    assert [(h.name, h.is_owner_gone) for h in found] == [("table/a.b", True), ("table/a.c", False)]
    assert all(h.expires_at_ms > time.time() * 1000 for h in found)


def test_looking_for_leases_makes_no_table(tmp_path: Path):
    settings = real.make_lakehouse(tmp_path, commits=0, tables=())
    with opened(settings) as lake:
        assert held_leases(lake.catalog, lake.leases) == ()
        assert not inspect(lake.catalog.engine).has_table("dp_leases")
