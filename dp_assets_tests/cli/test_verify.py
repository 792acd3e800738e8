"""`dp verify`, `dp prune`, `dp pin` and `dp replicate` on a real repository on disk."""

from pathlib import Path

import pytest

from dp_assets.core.units import now_ms
from dp_assets.domains.backup import layout
from dp_assets.domains.backup.points import Points
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_reading, store_of
from dp_assets_tests.cli.things import make_things, things


@pytest.fixture
def shop(lake: Lakehouse, dp):
    """Two tables in one point."""
    table = make_things(lake.catalog)
    table.append(things(100, 101))  # the other files have the other table's content
    make_things(lake.catalog, name="others")
    init_repository(lake.settings, keys=None, now_ms=now_ms())
    assert dp("backup").code == 0
    return table


def root() -> Path:
    return Path(store_of(load_settings()).address)


def stored(table: str, kind: FileKind) -> Path:
    """The object of one file of that kind that only this table has."""
    points = Points(open_for_reading(load_settings()))
    lines = points.manifest(points.record(1)).tables
    files = {t.table: points.content(t).files for t in lines}
    others = {f.ref.name for name, some in files.items() if name != table for f in some}
    own = [f for f in files[table] if f.file.kind is kind and f.ref.name not in others]
    return root() / layout.object_key(own[0].ref.name)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_whole_repository_ends_with_0(dp, shop):
    said = dp("verify", "--full", "--json")
    assert said.code == 0, said.err
    assert said.json["whole"]
    assert said.json["reread"] == said.json["objects"] > 10
    assert "damaged           0" in dp("verify").out


@pytest.mark.parametrize("kind", [FileKind.DATA, FileKind.MANIFEST, FileKind.METADATA])
def test_a_flipped_byte_is_named_with_its_table_and_ends_with_1(dp, shop, kind):
    path = stored("shop.things", kind)
    flip(path)
    said = dp("verify", "--full", "--json")
    assert said.code == 1
    (damage,) = said.json["damages"]
    assert damage["key"] == path.relative_to(root()).as_posix()
    assert {b["table"] for b in damage["breaks"]} == {"shop.things"}
    ids = {s.snapshot_id for s in shop.snapshots()}
    assert {i for b in damage["breaks"] for i in b["snapshots"]} <= ids
    text = dp("verify", "--full")
    assert text.code == 1
    assert path.name in text.out
    assert "shop.things" in text.out
    assert "shop.others" not in text.out


def test_without_settings_by_the_address_alone(dp, shop, home, monkeypatch):
    flip(stored("shop.things", FileKind.DATA))
    address = str(root())
    monkeypatch.setenv("DP_CONFIG", str(home / "gone.yaml"))
    said = dp("verify", "--full", "--repository", address, "--json")
    assert said.code == 1
    assert [b["table"] for d in said.json["damages"] for b in d["breaks"]] == ["shop.things"]
    assert dp("verify", "--repository", str(home / "nowhere")).code == 2


def test_a_lost_copy_is_mended_and_ends_with_1_once(dp, shop):
    flip(root() / layout.point_key(1, layout.RECORD))
    said = dp("verify")
    assert said.code == 1
    assert "put back from the other copy" in said.out
    assert dp("verify").code == 0


def test_a_repository_that_does_not_know_itself_any_more_is_damaged(dp, shop):
    for name in (layout.DESCRIPTION, layout.DESCRIPTION_COPY):
        flip(root() / name)
    said = dp("verify", "--json")
    assert said.code == 1
    assert said.json["damages"][0]["key"] == layout.DESCRIPTION


def test_a_foreign_file_is_named_and_no_damage(dp, shop):
    (root() / "holiday.jpg").write_bytes(b"x")
    said = dp("verify")
    assert said.code == 0
    assert "left alone: holiday.jpg" in said.out


def test_the_next_backup_heals_what_the_source_still_has(dp, shop):
    path = stored("shop.things", FileKind.DATA)
    before = path.read_bytes()
    flip(path)
    assert dp("verify", "--full").code == 1
    assert dp("backup").code == 0
    assert path.read_bytes() == before
    assert dp("verify", "--full").code == 0


def test_a_replica_mends_what_is_damaged(dp, shop, home):
    copy = home / "copy"
    said = dp("replicate", str(copy), "--json")
    assert said.code == 0, said.err
    assert (said.json["points"], said.json["state"]["lag_ms"]) == ([1], 0)
    assert dp("verify", "--repository", str(copy), "--full").code == 0
    paths = [stored("shop.things", kind) for kind in (FileKind.DATA, FileKind.METADATA)]
    before = [path.read_bytes() for path in paths]
    flip(paths[0])
    paths[1].unlink()
    said = dp("verify", "--full", "--mend-from", str(copy))
    assert said.code == 1
    assert [path.read_bytes() for path in paths] == before
    assert dp("verify", "--full").code == 0


def test_a_damaged_object_is_not_replicated(dp, shop, home):
    path = stored("shop.things", FileKind.DATA)
    flip(path)
    said = dp("replicate", str(home / "copy"))
    assert said.code == 1
    assert path.name in said.out
    assert not (home / "copy" / path.relative_to(root())).exists()
    assert dp("replicate").code == 2  # no place is named


def test_a_prune_says_why_a_point_stays_and_forgets_the_others(dp, shop):
    assert dp("backup").code == 0
    said = dp("prune", "--dry-run", "--json")
    assert said.code == 0, said.err
    assert said.json["leaving"] == [1]
    assert said.json["points"][1]["reasons"][0] == "newest"
    assert dp("prune").code == 2  # nobody is there to answer
    assert dp("pin", "1", "--note", "keep it").code == 0
    assert dp("prune", "--dry-run", "--json").json["leaving"] == []
    assert dp("unpin", "1").code == 0
    done = dp("prune", "--yes", "--json")
    assert done.code == 0, done.err
    assert (done.json["forgotten"], done.json["postponed"]) == ([1], "")
    assert done.json["condemned"] > 0
    assert dp("verify", "--full").code == 0
    assert dp("unpin", "1").code == 2
    assert dp("pin", "1").code == 2


def test_the_points_of_another_lakehouse_are_pruned_only_by_address(dp, shop, lake, home):
    assert dp("backup").code == 0
    address = str(root())
    (home / "lakehouse.yaml").write_text(
        f"state: {home}/second\nrepository:\n  url: {address}\n", encoding="utf-8"
    )
    assert dp("init").code == 0
    refused = dp("prune", "--yes")
    assert refused.code == 3
    assert "another" in refused.err or "lakehouse" in refused.err
    assert dp("prune", "--yes", "--repository", address).code == 0
