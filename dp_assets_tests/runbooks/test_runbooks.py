"""Each page of docs/runbooks, followed to the letter after its disaster: is the world well?"""

import re
import shutil
from pathlib import Path

import pytest

from dp_assets.adapters.recovery.key_files import public_keys
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.recipients import Recipient
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.making_repository import (
    change_recipients,
    current_recipients,
    new_recipient,
)
from dp_assets.usecases.backup.repositories import open_for_reading
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.runbooks.pages import ROOT, commands_of
from dp_assets_tests.runbooks.scenes import (
    FLIGHTS,
    PLANES,
    Scene,
    hold_drill,
    make_scene,
    take_dump,
    take_point,
)
from dp_assets_tests.usecases.backup import backups

CATALOG = "catalog:\n  uri: sqlite:///{state}/catalog.db?timeout=0.1\n"
NEW_REPOSITORY = "The only private key, or the naming key, is lost"


def edit(scene: Scene, old: str, new: str) -> None:
    """What the page tells a person to change in lakehouse.yaml."""
    text = scene.settings.path.read_text()
    assert old in text
    scene.settings.path.write_text(text.replace(old, new))


def add_recipient(scene: Scene, file: Path) -> str:
    key = new_recipient(scene.settings, file, now_ms=now_ms())
    change_recipients(scene.settings, add=[Recipient(key)], remove=(), now_ms=now_ms())
    return key


def test_metastore_lost(scene):
    take_dump(scene)
    backups.append(scene.settings, first=100, table=FLIGHTS)
    before, pointer = scene.content(), real.pointer_of(scene.settings, FLIGHTS)
    catalog = scene.settings.state_dir / "catalog.db"
    catalog.write_bytes(catalog.read_bytes()[:5000])

    scene.shell.follow("docs/runbooks/metastore-lost")

    assert real.pointer_of(scene.settings, FLIGHTS) == pointer
    assert (scene.rows(FLIGHTS), scene.rows(PLANES)) == (40, 30)
    assert scene.content() == before


def test_table_dropped_and_its_files_deleted(scene):
    take_point(scene)
    hold_drill(scene)
    before = scene.content()
    with opened(scene.settings) as lake:
        folder = real.local(lake.catalog.load_table(FLIGHTS.identifier).location())
        lake.catalog.drop_table(FLIGHTS.identifier)
    shutil.rmtree(folder)

    scene.shell.follow("docs/runbooks/table-dropped")

    # The newest metadata file holds the whole history; of those before it nothing is needed.
    newest = real.pointer_of(scene.settings, FLIGHTS).removeprefix("file://")
    expected = {k: v for k, v in before.items() if k == newest or "metadata.json" not in k}
    assert {k: v for k, v in scene.content().items() if k in expected} == expected
    assert scene.rows() == 30
    restored = load_settings(scene.settings.state_dir / "copy" / "lakehouse.yaml", env={})
    assert real.rows_of(restored, TableId("restored", "flights")) == 30


def test_files_lost_short_and_altered(scene):
    take_point(scene)
    before = scene.content()
    lost, short, altered = scene.files()
    lost.unlink()
    short.write_bytes(short.read_bytes()[:100])
    altered.write_bytes(altered.read_bytes().replace(b"PAR1", b"PAR2", 1))

    scene.shell.follow("docs/runbooks/files-lost", leave_out="When no recovery point holds them")

    assert {k: v for k, v in scene.content().items() if k in before} == before
    assert scene.rows() == 30


@pytest.mark.parametrize(("way", "rows"), [("--roll-back", 30), ("--forget", 40)])
def test_files_lost_that_no_point_holds(scene, way, rows):
    take_point(scene)
    known = set(scene.files())
    backups.append(scene.settings, first=100, table=FLIGHTS)
    [new] = set(scene.files()) - known
    backups.append(scene.settings, first=200, table=FLIGHTS)
    new.unlink()
    chosen = [
        c for c in commands_of("docs/runbooks/files-lost") if way in c.text or "--dry-run" in c.text
    ]
    for command in chosen:
        scene.shell.run(command)
    assert scene.rows() == rows


def test_whole_lakehouse_lost(scene, tmp_path):
    take_point(scene)
    shutil.rmtree(scene.settings.state_dir)
    scene.settings.path.unlink()

    scene.shell.follow("docs/runbooks/whole-lakehouse-lost")

    restored = load_settings(scene.shell.folder / "restored" / "lakehouse.yaml", env={})
    for table in (FLIGHTS, PLANES):
        assert real.rows_of(restored, table) == 30
    with opened(restored) as lake:
        metadata = [lake.catalog.load_table(t.identifier).metadata for t in (FLIGHTS, PLANES)]
    assert all(str(scene.settings.state_dir) not in m.model_dump_json() for m in metadata)
    assert not scene.settings.state_dir.exists()


def test_repository_damaged(scene):
    take_point(scene)
    hold_drill(scene)
    wanted = scene.files()[0].read_bytes()
    objects = (p for p in (scene.repository / "objects").rglob("*") if p.is_file())
    damaged = next(path for path in objects if path.read_bytes() == wanted)
    damaged.write_bytes(bytes([wanted[0] ^ 1]) + wanted[1:])

    scene.shell.follow("docs/runbooks/repository-damaged")

    assert backups.check_repository(scene.settings) == (1, 2)


def test_one_key_of_two_lost(make, tmp_path):
    keys = tmp_path / "keys"
    scene = make(keys=keys)
    second = add_recipient(scene, keys / "second.key")
    take_point(scene)
    lost = public_keys(keys / "first.key")[0]
    (keys / "first.key").unlink()
    edit(scene, "first.key", "second.key")
    scene.shell.env = {"LOST": lost, "KEY": str(keys / "second.key")}

    scene.shell.follow("docs/runbooks/key-lost", leave_out=NEW_REPOSITORY)

    new = public_keys(scene.shell.folder / "new.key")[0]
    assert [one.key for one in current_recipients(scene.settings)] == [second, new]
    assert scene.shell.said['dp drill --key "$KEY"'].count("proven") >= 2


@pytest.mark.parametrize("lost", ["first.key", "naming.key"])
def test_the_only_key_lost(make, tmp_path, lost):
    keys = tmp_path / "keys"
    scene = make(keys=keys)
    take_point(scene)
    (keys / lost).unlink()
    other = tmp_path / "other-repository"
    scene.settings.path.write_text(f"{CATALOG}repository:\n  url: {other}\n")

    scene.shell.follow("docs/runbooks/key-lost", only=NEW_REPOSITORY)
    [said] = scene.shell.said.values()
    lines = said.split("put this into lakehouse.yaml:\n\n")[1].split("\n!!")[0]
    scene.settings.path.write_text(f"{CATALOG}{lines}\n")
    scene.shell.env = {"KEY": str(scene.shell.folder / "keys" / "private.key")}
    scene.shell.follow("docs/runbooks/key-lost", only="How to know it worked")

    assert backups.points_of(load_settings(scene.settings.path, env={})).numbers() == (1,)
    assert b"PAR1" not in b"".join(p.read_bytes()[:4] for p in other.rglob("*") if p.is_file())


def test_the_five_commands_of_the_readme(tmp_path):
    # Each `dp` starts from nothing here, as nowhere else in this file.
    scene = make_scene(tmp_path, repository=False)
    scene.shell.follow("README", only="Recovery in five commands")
    restored = load_settings(scene.shell.folder / "restored" / "lakehouse.yaml", env={})
    assert [real.rows_of(restored, table) for table in (FLIGHTS, PLANES)] == [30, 30]


def test_the_operations_guide(make):
    scene = make(repository=False)
    scene.shell.follow("docs/operations", leave_out="Encryption")
    assert scene.shell.said["dp recovery"].count("within") == 2
    assert backups.points_of(scene.settings).numbers() == (1,)


def test_the_maintenance_guide(make):
    scene = make(repository=False, commits=12)
    assert len(scene.files()) == 12
    scene.shell.follow("docs/maintenance")
    assert "12 files for a target" in scene.shell.said["dp maintain raw.flights --dry-run"]
    assert (len(scene.files()), scene.rows()) == (1, 120)


def test_the_operations_guide_makes_an_encrypted_repository(make):
    scene = make(repository=False)
    scene.shell.follow("docs/operations", only="Encryption")
    assert public_keys(scene.shell.folder / "keys" / "private.key")
    assert open_for_reading(scene.settings).description.encrypted


def test_the_index_names_every_page_and_every_page_says_the_same_four_things():
    folder = ROOT / "docs" / "runbooks"
    index = (folder / "README.md").read_text()
    pages = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages
    for page in pages:
        headings = re.findall(r"^## (.*)$", (folder / page).read_text(), re.MULTILINE)
        assert headings[:2] == ["Detection", "Diagnosis"], page
        assert headings[-1] == "How to know it worked", page
        assert commands_of(f"docs/runbooks/{page.removesuffix('.md')}"), page
