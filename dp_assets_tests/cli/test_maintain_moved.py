"""`dp maintain` while another process writes: what is shown is done, what moved is left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.maintenance import compacting, maintaining
from dp_assets_tests.adapters.real_lakehouse import content
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.faults.model_deletes import delete_positions
from dp_assets_tests.faults.model_episode import Worker, make
from dp_assets_tests.faults.model_process import NAME
from dp_assets_tests.faults.model_writes import WRITES, Said

TABLE = str(NAME)
FIRST = list(range(1, 61))
DELETED, DELETED_MEANWHILE = [3, 14], [5]
SETTINGS = "catalog:\n  uri: sqlite:///{state}/catalog.db?timeout=30\n"


@pytest.fixture
def place(home: Path) -> Settings:
    """Partitions a and b of six files each, position deletes in both, and a tag of before."""
    file = home / "lakehouse.yaml"
    file.write_text(SETTINGS)
    settings = load_settings(file, env={})
    make(settings, version=2, keep=2)
    with opened(settings) as lake:
        write(lake, "change_spec", field="identity")
        for n in range(12):
            write(lake, "append", ids=FIRST[5 * n : 5 * n + 5], part="ab"[n % 2])
        write(lake, "tag", name="before")
        delete_positions(lake.catalog.load_table(NAME.identifier), {"ids": DELETED})
    return settings


def write(lake: Lakehouse, what: str, **order: object) -> None:
    WRITES[what](lake.catalog.load_table(NAME.identifier), {"stamp": 1, **order})


def ids(lake: Lakehouse, ref: str | None = None) -> list[int]:
    """As PyIceberg and DuckDB read them, at the head or at a tag."""
    table = lake.catalog.load_table(NAME.identifier)
    snapshot = table.refs()[ref].snapshot_id if ref else None
    by_pyiceberg = sorted(table.scan(snapshot_id=snapshot).to_arrow()["id"].to_pylist())
    with lake.reader() as reader:
        source = reader.scan(NAME, snapshot_id=snapshot)
        by_duckdb = reader.rows(f"SELECT id FROM {source} ORDER BY id", about=NAME)
    assert by_duckdb["id"].to_pylist() == by_pyiceberg
    return by_pyiceberg


def elsewhere(settings: Settings, folder: Path, orders: list[Said]) -> Callable[[], None]:
    """Another process that carries out these orders, once."""
    todo = [orders]

    def does() -> None:
        if not todo:
            return
        worker = Worker.start(folder / "other.log")
        try:
            worker.ask(settings, todo.pop())
            assert {said["did"] for said in worker.answer()} == {"done"}
        finally:
            worker.process.kill()
            worker.process.communicate()

    return does


def before_commit(patch: pytest.MonkeyPatch, does: Callable[[], None]) -> None:
    """A compaction does this when its files are written, right before its commit."""
    real = compacting.commit_compaction

    def commit(*given: object, **more: object) -> object:
        does()
        return real(*given, **more)  # pyright: ignore[reportArgumentType]

    patch.setattr(compacting, "commit_compaction", commit)


def test_a_delete_and_a_new_column_between_plan_and_commit(
    dp: Dp, place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = elsewhere(
        place,
        tmp_path,
        [
            {"do": "delete_positions", "ids": DELETED_MEANWHILE},
            {"do": "add_column", "name": "more", "kind": "int"},
        ],
    )
    before_commit(monkeypatch, other)
    done = dp("maintain", TABLE)
    assert done.code == 0, (done.out, done.err)
    assert "rows of a replaced file were deleted since (position delete)" in done.out
    left = [n for n in FIRST if n not in (*DELETED, *DELETED_MEANWHILE)]
    with opened(place) as lake:
        assert ids(lake) == left
        assert ids(lake, "before") == FIRST
        table = lake.catalog.load_table(NAME.identifier)
        assert table.schema().find_field("more").name == "more"
    again = dp("maintain", TABLE, "--only", "compaction")
    assert again.code == 0, (again.out, again.err)
    with opened(place) as lake:
        assert ids(lake) == left
        assert ids(lake, "before") == FIRST
        files = list(lake.catalog.load_table(NAME.identifier).scan().plan_files())
        assert len(files) == 2
        assert not any(task.delete_files for task in files)


def test_what_is_shown_is_done_and_nothing_else(dp: Dp, place: Settings):
    with opened(place) as lake:
        pointer, before = existing_pointer(lake.catalog, NAME), content(place.state_dir)
    decision = dp("why", TABLE, "compaction", "--json").json["operations"][0]
    assert decision["reasons"] == ["expiry of the same table goes first"]
    assert "small_files 12, 10 is enough" in [f["text"] for c in decision["triggers"] for f in c]
    shown = dp("maintain", TABLE, "--dry-run", "--json")
    assert shown.code == 0, shown.err
    assert files_of(content(place.state_dir)) == files_of(before)
    plans = {one["operation"]: one["plan"] for one in shown.json}
    assert all(plan["pointer"] == pointer for plan in plans.values())
    groups = plans["compaction"]["groups"]
    assert len(groups) == 2
    with opened(place) as lake:
        assert existing_pointer(lake.catalog, NAME) == pointer
        inputs = data_files(lake)
        gone = {path for group in groups for path in group["inputs"]}
        assert gone == inputs
    done = dp("maintain", TABLE, "--json")
    assert done.code == 0, done.err
    made = {one["operation"]: one for one in done.json}
    assert [g["inputs"] for g in made["compaction"]["plan"]["groups"]] == [
        g["inputs"] for g in groups
    ]
    assert made["expiry"]["plan"]["snapshots"] == plans["expiry"]["snapshots"]
    with opened(place) as lake:
        assert len(data_files(lake)) == sum(group["new_files"] for group in groups)
        assert gone.isdisjoint(data_files(lake))
        kept = {s.snapshot_id for s in lake.catalog.load_table(NAME.identifier).snapshots()}
        assert kept.isdisjoint(plans["expiry"]["snapshots"])
        assert ids(lake) == [n for n in FIRST if n not in DELETED]
        assert ids(lake, "before") == FIRST
    why = dp("why", TABLE).out
    assert "compaction" in why.split("Last attempts")[1]
    assert "expiry" in why.split("Last attempts")[1]


def test_a_table_that_moved_while_it_was_planned_is_said(
    dp: Dp, place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = elsewhere(place, tmp_path, [{"do": "append", "ids": [99], "part": "a", "stamp": 2}])
    real = maintaining.plan

    def plan(*given: object, **more: object) -> object:
        planned = real(*given, **more)  # pyright: ignore[reportArgumentType]
        other()
        return planned

    monkeypatch.setattr(maintaining, "plan", plan)
    shown = dp("maintain", TABLE, "--only", "compaction", "--dry-run")
    assert f"note: another writer committed to {TABLE} while this was planned" in shown.out


def data_files(lake: Lakehouse) -> set[str]:
    tasks = lake.catalog.load_table(NAME.identifier).scan().plan_files()
    return {task.file.file_path for task in tasks}


def files_of(found: dict[str, bytes]) -> dict[str, bytes]:
    """Without the database, which is compared by the pointer, and our own notes."""
    return {path: data for path, data in found.items() if "/warehouse/" in path}
