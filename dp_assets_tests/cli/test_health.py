"""`dp health` on real tables."""

import re
import sys

import pytest

from dp_assets.adapters.local_files import local_path
from dp_assets.core.units import now_ms
from dp_assets.usecases.maintenance.sweeping import state_file, sweep
from dp_assets_tests.cli.things import make_things, things


@pytest.fixture
def fragmented(lake):
    """``shop.many`` has 8 files, ``shop.things`` 2 and a deleted one that is kept."""
    make_things(lake.catalog)
    many = lake.catalog.create_table(("shop", "many"), things(0, 0).schema)
    for n in range(8):
        many.append(things(n, n + 1))
    return lake


def sweep_now(lake):
    return sweep(lake, now_ms=now_ms(), run_id="r", tell=lambda *_: None)


def test_all_tables_come_worst_first(dp, fragmented):
    done = dp("health")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].split()[:4] == ["table", "burden", "files", "small"]
    assert [line.split()[0] for line in lines[1:3]] == ["shop.many", "shop.things"]
    assert "  8 of 8 data files are smaller than 96.0 MiB" in done.out
    assert "1 of 2 tables need maintenance" in done.out


def test_json_has_every_figure(dp, fragmented):
    first, second = dp("health", "--json").json
    table = fragmented.catalog.load_table("shop.many")
    sizes = table.inspect.files().column("file_size_in_bytes").to_pylist()
    assert (first["table"], second["table"]) == ("shop.many", "shop.things")
    assert (first["files"], first["bytes"], first["rows"]) == (8, sum(sizes), 8)
    assert (first["small_share"], first["delete_ratio"], sum(first["size_counts"])) == (1.0, 0.0, 8)
    assert first["causes"][0].startswith("8 of 8 data files")
    assert second["causes"] == []
    old = fragmented.catalog.load_table("shop.things").inspect.all_files().to_pylist()
    live = fragmented.catalog.load_table("shop.things").inspect.files().to_pylist()
    gone = {f["file_path"]: f["file_size_in_bytes"] for f in old}
    for file in live:
        gone.pop(file["file_path"])
    assert second["old_bytes"] == sum(gone.values()) > 0


def test_it_changes_nothing_and_reads_only_what_moved(dp, fragmented, monkeypatch):
    sweep_now(fragmented)
    state = state_file(fragmented.settings).read_bytes()
    measured = []
    real = sys.modules["dp_assets.usecases.maintenance.looking"].measured

    def counted(lake, table, pointer, *, now_ms):
        measured.append(str(table))
        return real(lake, table, pointer, now_ms=now_ms)

    monkeypatch.setattr("dp_assets.usecases.maintenance.looking.measured", counted)
    fragmented.catalog.load_table("shop.things").append(things(30, 31))
    rows = {row["table"]: row for row in dp("health", "--json").json}
    assert measured == ["shop.things"]
    live = fragmented.catalog.load_table("shop.things").inspect.files()
    assert rows["shop.things"]["files"] == live.num_rows
    assert state_file(fragmented.settings).read_bytes() == state
    assert len(fragmented.spool.tables()) == 1  # of the sweep


def test_a_table_that_cannot_be_measured_is_named_and_is_a_failed_check(dp, fragmented):
    pointer = fragmented.catalog.load_table("shop.many").metadata_location
    path = local_path(pointer)
    path.write_bytes(b"")
    done = dp("health")
    assert done.code == 1
    assert "Cannot be measured" in done.out
    assert "it is empty" in done.out
    by_name = {row["table"]: row for row in dp("health", "--json").json}
    assert "it is empty" in by_name["shop.many"]["problem"]
    assert by_name["shop.things"]["files"] == 2
    assert dp("health", "shop.many").code == 3


def test_one_table_has_a_page(dp, fragmented):
    sweep_now(fragmented)
    fragmented.catalog.load_table("shop.many").append(things(9, 10))
    done = dp("health", "shop.many")
    assert done.code == 0
    assert "9 of 9 data files are smaller than" in done.out
    after = done.out.split("Data files by size")[1].splitlines()
    assert after[2].split()[:3] == ["1", "KiB", "up"]
    assert "█" in after[2]
    history = done.out.split("Last sweeps")[1].splitlines()
    assert len(history) == 3
    assert history[2].split()[3:5] == ["8", "8"]
    found = dp("health", "shop.many", "--json").json
    assert (found["files"], [past["files"] for past in found["history"]]) == (9, [8])


def test_a_healthy_table_says_so(dp, fragmented):
    assert "none: it is healthy" in dp("health", "shop.things").out


def test_an_unknown_table_names_the_nearest(dp, fragmented):
    done = dp("health", "shop.mani")
    assert done.code == 2
    assert "did you mean shop.many?" in done.err


def test_an_empty_lakehouse_is_no_failure(dp, lake):
    done = dp("health")
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 of 0 tables need maintenance")


@pytest.mark.parametrize("columns", [80, 160])
def test_lines_fit_the_terminal(dp, fragmented, monkeypatch, columns):
    sweep_now(fragmented)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for arguments in ((), ("shop.many",)):
        out = re.sub(r"\x1b\[[0-9;]*m", "", dp("health", *arguments).out)
        assert max(map(len, out.splitlines())) <= columns
        head = next(line for line in out.splitlines() if "burden" in line and "files" in line)
        assert ("deletes" in head) is (columns == 160)
