"""`dp doctor --repair` on real tables: rows of the commit before, every file still there."""

import io
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from dp_assets.cli import doctor
from dp_assets.cli import main as frame
from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import opened
from dp_assets.ports.inventory import Inventory
from dp_assets.usecases.diagnosis import diagnose
from dp_assets.usecases.repairing import repair
from dp_assets_tests.adapters import real_lakehouse as real

OTHER, HOPELESS = TableId("raw", "other"), TableId("raw", "hopeless")
DAMAGE = {
    "emptied": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "deleted": lambda file: file.unlink(),
    "garbage": lambda file: file.write_bytes(b"\xde\xad\xbe\xef" * 500),
}


class Person(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def settings(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(frame, "_groups", lambda: (doctor.register, lambda app: None))
    made = real.make_lakehouse(tmp_path)
    monkeypatch.setenv("DP_CONFIG", str(made.path))
    return made


def files_in(settings) -> dict[str, bytes]:
    return real.content(real.local(str(settings.warehouse.root)))


@pytest.mark.parametrize("damage", DAMAGE)
def test_it_goes_back_one_commit_says_which_is_lost_and_deletes_nothing(settings, capsys, damage):
    *_, before, newest = real.metadata_files(settings)
    lost = json.loads(newest.read_bytes())["current-snapshot-id"]
    DAMAGE[damage](newest)
    on_disk = files_in(settings)
    assert frame.main(["doctor", "--repair", "--yes"]) == 0
    said = capsys.readouterr().out
    assert f"lost     the last commit (snapshot {lost}: 10 rows written, 0 removed)" in said
    assert "moved back: raw.orders loads again, 20 rows" in said
    assert real.local(real.pointer_of(settings)) == before
    assert real.rows_of(settings) == 20
    assert files_in(settings) == on_disk


def test_healthy_tables_and_those_without_a_way_back_are_not_touched(settings):
    with opened(settings) as lake:
        real.fill(lake, OTHER, commits=1)
        real.fill(lake, HOPELESS, commits=0)
    healthy, hopeless = (real.pointer_of(settings, table) for table in (OTHER, HOPELESS))
    for table in (real.ORDERS, HOPELESS):
        real.metadata_files(settings, table)[-1].write_bytes(b"")
    assert frame.main(["doctor", "--repair", "--yes"]) == 1
    assert real.rows_of(settings) == 20
    assert (real.pointer_of(settings, OTHER), real.rows_of(settings, OTHER)) == (healthy, 10)
    assert real.pointer_of(settings, HOPELESS) == hopeless


def test_the_next_commit_after_a_repair_lands_on_the_state_before(settings):
    DAMAGE["emptied"](real.metadata_files(settings)[-1])
    assert frame.main(["doctor", "--repair", "--yes"]) == 0
    with opened(settings) as lake:
        real.fill(lake, real.ORDERS, commits=1)
    assert real.rows_of(settings) == 30
    assert frame.main(["doctor"]) == 0


def test_two_bad_in_a_row(settings, capsys):
    _, keep, *bad = real.metadata_files(settings)
    for file in bad:
        file.write_bytes(b"")
    assert frame.main(["doctor", "--repair", "--yes"]) == 0
    assert "lost     the last 2 commits (snapshot " in capsys.readouterr().out
    assert real.local(real.pointer_of(settings)) == keep
    assert real.rows_of(settings) == 10
    assert all(file.read_bytes() == b"" for file in bad)


def test_a_state_that_lost_its_race_is_never_gone_back_to(settings):
    _, _, before, newest = real.metadata_files(settings)
    newest.write_bytes(b"")
    loser = before.with_name("00002-ffffffff-lost-its-race.metadata.json")
    loser.write_bytes(before.read_bytes())
    assert frame.main(["doctor", "--repair", "--yes"]) == 0
    assert real.local(real.pointer_of(settings)) == before


def test_where_nobody_knows_what_was_committed_nothing_is_moved(settings, capsys):
    _, first, before, newest = real.metadata_files(settings)
    first.with_name("00001-ffffffff.metadata.json").write_bytes(first.read_bytes())
    before.write_bytes(b"")
    newest.write_bytes(b"")
    pointer = real.pointer_of(settings)
    assert frame.main(["doctor", "--repair", "--yes"]) == 1
    assert "nothing says which of these was committed" in capsys.readouterr().out
    assert real.pointer_of(settings) == pointer


def test_a_dropped_table_of_the_same_folder_is_not_brought_back(settings):
    _, first, before, newest = real.metadata_files(settings)
    raw = json.loads(first.read_bytes())
    first.write_text(json.dumps({**raw, "table-uuid": "22222222-2222-2222-2222-222222222222"}))
    before.write_bytes(b"")
    newest.write_bytes(b"")
    pointer = real.pointer_of(settings)
    assert frame.main(["doctor", "--repair", "--yes"]) == 1
    assert real.pointer_of(settings) == pointer


def test_a_dry_run_shows_and_changes_nothing(settings, capsys):
    real.metadata_files(settings)[-1].write_bytes(b"")
    pointer, on_disk = real.pointer_of(settings), files_in(settings)
    assert frame.main(["doctor", "--repair", "--dry-run"]) == 1
    said = capsys.readouterr().out
    assert f"pointer  {pointer}" in said
    assert "back to  file://" in said
    assert (real.pointer_of(settings), files_in(settings)) == (pointer, on_disk)


def test_a_no_changes_nothing_and_a_yes_repairs(settings, monkeypatch):
    real.metadata_files(settings)[-1].write_bytes(b"")
    pointer = real.pointer_of(settings)
    monkeypatch.setattr("sys.stdin", Person("n\n"))
    assert frame.main(["doctor", "--repair"]) == 130
    assert real.pointer_of(settings) == pointer
    monkeypatch.setattr("sys.stdin", Person("y\n"))
    assert frame.main(["doctor", "--repair"]) == 0
    assert real.rows_of(settings) == 20


@pytest.mark.parametrize("arguments", [["--repair"], ["--yes"], ["--dry-run"]])
def test_what_would_ask_nobody_or_means_nothing_is_bad_usage(settings, arguments, capsys):
    real.metadata_files(settings)[-1].write_bytes(b"")
    pointer = real.pointer_of(settings)
    assert frame.main(["doctor", *arguments]) == 2
    assert real.pointer_of(settings) == pointer
    assert "hint: " in capsys.readouterr().err


def test_json_says_what_was_done(settings, capsys):
    real.metadata_files(settings)[-1].write_bytes(b"")
    assert frame.main(["doctor", "--repair", "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"]
    (done,) = said["repairs"]
    assert (done["table"], done["lost_commits"], done["done"]) == ("raw.orders", 1, True)
    assert done["lost_snapshots"][0]["added_rows"] == 10


def test_without_the_right_identity_nothing_is_moved(settings, capsys):
    real.metadata_files(settings)[-1].write_bytes(b"")
    clone = settings.state_dir / "clone.db"
    clone.write_bytes((settings.state_dir / "catalog.db").read_bytes())
    settings.path.write_text("catalog:\n  uri: sqlite:///{state}/clone.db\n")
    before = clone.read_bytes()
    assert frame.main(["doctor", "--repair", "--yes"]) == 3
    assert "this is not lakehouse " in capsys.readouterr().err
    assert clone.read_bytes() == before


def test_without_any_identity_nothing_is_moved(settings):
    real.metadata_files(settings)[-1].write_bytes(b"")
    with opened(settings) as lake, lake.catalog.engine.begin() as connection:
        connection.execute(text("DELETE FROM iceberg_namespace_properties"))
    pointer = real.pointer_of(settings)
    assert frame.main(["doctor", "--repair", "--yes"]) == 3
    assert real.pointer_of(settings) == pointer


def test_a_foreign_table_is_left_to_its_owner(settings, capsys):
    *_, before, newest = real.metadata_files(settings)
    raw = json.loads(before.read_bytes())
    before.write_text(json.dumps({**raw, "properties": {}}))
    newest.write_bytes(b"")
    pointer = real.pointer_of(settings)
    assert frame.main(["doctor", "--repair", "--yes"]) == 1
    assert "it is foreign" in capsys.readouterr().out
    assert real.pointer_of(settings) == pointer


def planned(settings):
    with opened(settings) as lake:
        (found,) = diagnose(lake).repairs
    return found


def test_a_table_that_somebody_holds_is_left_alone(settings):
    settings.path.write_text(settings.path.read_text() + "leases:\n  wait_seconds: 0\n")
    real.metadata_files(settings)[-1].write_bytes(b"")
    pointer = real.pointer_of(settings)
    with opened(settings) as lake:
        lake.leases.acquire("table/raw.orders", owner="another", ttl_ms=60_000, wait_ms=0)
    assert frame.main(["doctor", "--repair", "--yes"]) == 3
    assert real.pointer_of(settings) == pointer


def test_a_lease_lost_on_the_way_stops_it(settings, monkeypatch):
    real.metadata_files(settings)[-1].write_bytes(b"")
    pointer, found = real.pointer_of(settings), planned(settings)
    with opened(settings) as lake:

        def lost(_lease):
            raise TransientError("lease is lost", hint="")

        monkeypatch.setattr(lake.leases, "check", lost)
        with pytest.raises(TransientError, match="lease is lost"):
            repair(lake, found)
    assert real.pointer_of(settings) == pointer


def test_a_file_that_came_back_meanwhile_is_not_given_up(settings):
    newest = real.metadata_files(settings)[-1]
    good = newest.read_bytes()
    newest.write_bytes(b"")
    found = planned(settings)
    newest.write_bytes(good)
    with opened(settings) as lake, pytest.raises(TransientError, match="changed since"):
        repair(lake, found)
    assert real.local(real.pointer_of(settings)) == newest
    assert real.rows_of(settings) == 30


def test_a_pointer_that_moved_meanwhile_stays(settings):
    newest = real.metadata_files(settings)[-1]
    good = newest.read_bytes()
    newest.write_bytes(b"")
    found = planned(settings)
    copy = newest.with_name("00004-repaired-by-another.metadata.json")
    copy.write_bytes(good)
    with opened(settings) as lake:
        with lake.catalog.engine.begin() as connection:
            move = "UPDATE iceberg_tables SET metadata_location = :new WHERE table_name = 'orders'"
            connection.execute(text(move), {"new": f"file://{copy}"})
        with pytest.raises(TransientError, match="lost a race"):
            repair(lake, found)
    assert real.local(real.pointer_of(settings)) == copy


def test_a_known_uuid_finds_the_way_in_a_folder_of_two_tables(settings, tmp_path):
    from dp_assets.adapters.inventory_state import write_inventory
    from dp_assets.adapters.pyiceberg_inventory import read_facts

    created, first, before, newest = real.metadata_files(settings)
    with opened(settings) as lake:
        facts = read_facts(lake.catalog, real.ORDERS, real.pointer_of(settings))
    write_inventory(settings.inventory_file, Inventory(tables={real.ORDERS: facts}))
    raw = json.loads(created.read_bytes())
    created.write_text(json.dumps({**raw, "table-uuid": "22222222-2222-2222-2222-222222222222"}))
    before.write_bytes(b"")
    newest.write_bytes(b"")
    assert frame.main(["doctor", "--repair", "--yes"]) == 0
    assert real.local(real.pointer_of(settings)) == first
