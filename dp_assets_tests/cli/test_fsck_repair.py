"""`dp fsck` and `dp repair` as a person types them, on a real backup."""

from pathlib import Path

import pytest

from dp_assets.cli import main as front_door
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.backing_up import back_up, wanted_by
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_for_writing
from dp_assets_tests.adapters.real_lakehouse import ORDERS, fill
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.usecases.backup.backups import append
from dp_assets_tests.usecases.backup.damage import (
    check,
    files_of,
    first_data_file,
    flip,
    hashes,
    ids,
    warehouse,
)


@pytest.fixture(autouse=True)
def verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verbs, whether or not they are in the list of all."""
    groups = dict.fromkeys((*front_door.GROUPS, "fsck", "repair"))
    monkeypatch.setattr(front_door, "GROUPS", tuple(groups))


@pytest.fixture
def lake_settings(home: Path, dp: Dp) -> Settings:
    """``raw.orders`` with three commits of ten rows, without a repository."""
    (home / "lakehouse.yaml").write_text(f"repository:\n  url: {home}/repository\n")
    assert dp("init").code == 0
    settings = load_settings()
    with opened(settings) as lake:
        fill(lake, ORDERS, commits=3)
    return settings


@pytest.fixture
def backed_up(lake_settings: Settings) -> Settings:
    init_repository(lake_settings, keys=None, now_ms=now_ms())
    with opened(lake_settings) as lake:
        back_up(
            lake,
            open_for_writing(lake_settings),
            wanted=wanted_by(lake_settings),
            run_id="test",
        )
    return lake_settings


@pytest.fixture
def newer(backed_up: Settings) -> Path:
    """A data file that no point holds."""
    before = set(files_of(backed_up, FileKind.DATA))
    append(backed_up, first=100)
    (new,) = set(files_of(backed_up, FileKind.DATA)) - before
    return new


def test_a_whole_lake_ends_with_0(backed_up: Settings, dp: Dp):
    said = dp("fsck")
    assert (said.code, said.err) == (0, "")
    assert "found                         0" in said.out
    deep = dp("fsck", "raw.orders", "--deep", "--json")
    assert deep.code == 0
    assert deep.json["whole"]
    assert deep.json["compared"] == deep.json["files"]


def test_the_runbook_from_loss_to_proof(backed_up: Settings, dp: Dp):
    before = hashes(warehouse(backed_up))
    lost, altered = first_data_file(backed_up), files_of(backed_up, FileKind.DATA)[-1]
    if altered == lost:
        altered = files_of(backed_up, FileKind.DATA)[0]
    lost.unlink()
    flip(altered, 10)
    found = dp("fsck", "raw.orders", "--deep")
    assert found.code == 1
    assert str(lost) in found.out
    assert str(altered) in found.out
    assert "-> 'dp repair raw.orders'" in found.out
    dry = dp("repair", "raw.orders", "--dry-run")
    assert dry.code == 0
    assert "files to put back            2" in dry.out
    assert not lost.exists()
    unanswered = dp("repair", "raw.orders")
    assert unanswered.code == 2
    assert not lost.exists()
    assert dp("repair", "raw.orders", "--yes").code == 0
    assert hashes(warehouse(backed_up)) == before
    assert dp("fsck", "raw.orders", "--deep").code == 0
    again = dp("repair", "raw.orders", "--yes", "--json")
    assert again.code == 0
    assert again.json["done"] == []


def test_neither_way_is_chosen_for_anybody(backed_up: Settings, newer: Path, dp: Dp):
    newer.unlink()
    said = dp("repair", "raw.orders", "--yes")
    assert said.code == 1
    assert "30 rows instead of 40" in said.out
    assert "10 rows lost with 1 file, 30 rows stay" in said.out
    assert "nothing was chosen" in said.out
    assert dp("repair", "raw.orders", "--roll-back", "--forget").code == 2
    assert check(backed_up).findings


@pytest.mark.parametrize(
    ("flag", "done"), [("--forget", "forgotten"), ("--roll-back", "rolled back")]
)
def test_a_way_that_was_chosen_is_taken(
    backed_up: Settings, newer: Path, dp: Dp, flag: str, done: str
):
    newer.unlink()
    assert dp("repair", "raw.orders", flag).code == 2  # nobody is there to say yes
    said = dp("repair", "raw.orders", flag, "--yes", "--json")
    assert said.code == 0
    assert said.json["done"] == [done]
    assert said.json["forget"]["lost"] == {"count": 10, "exact": True}
    assert ids(backed_up) == list(range(30))
    assert dp("repair", "raw.orders", "--yes").code == 0


def test_without_a_repository_it_is_said(lake_settings: Settings, dp: Dp):
    first_data_file(lake_settings).unlink()
    said = dp("fsck", "--deep")
    assert said.code == 1
    assert "not compared with a repository" in said.out
    dry = dp("repair", "raw.orders", "--dry-run")
    assert dry.code == 0
    assert "nothing can be put back" in dry.out
    named = dp("fsck", "--deep", "--repository", "/nowhere")
    assert named.code == 2


def test_a_refused_way_ends_with_3_and_the_reason(backed_up: Settings, dp: Dp):
    before = set(files_of(backed_up, FileKind.MANIFEST))
    append(backed_up, first=100)
    (new,) = set(files_of(backed_up, FileKind.MANIFEST)) - before
    new.unlink()
    said = dp("repair", "raw.orders", "--forget", "--yes")
    assert said.code == 3
    assert "which files it named is not known" in said.err
