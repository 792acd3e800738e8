"""A clock that is wrong by a day, either way: nothing is lost, and a right clock mends it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dp_assets.core import units
from dp_assets.core.errors import TransientError
from dp_assets.core.units import DAY_MS
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import leases_of, open_for_writing
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import things
from dp_assets_tests.recovery.lakes import fill, ids, write_settings
from dp_assets_tests.usecases.backup.backups import SeenFiles, backup, check_repository, points_of

SetClock = Callable[[float], None]


class WrongClock:
    """The real time, some days off."""

    def __init__(self) -> None:
        self.days = 0.0

    def time_ns(self) -> int:
        return time.time_ns() + int(self.days * DAY_MS) * 1_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Make this machine's clock wrong by some days."""
    wrong = WrongClock()
    monkeypatch.setattr(units, "time", wrong)

    def wrong_by(days: float) -> None:
        wrong.days = days

    return wrong_by


@pytest.fixture
def settings(tmp_path: Path, clock: SetClock) -> Settings:
    made = write_settings(
        tmp_path / "lake" / "lakehouse.yaml", repository=str(tmp_path / "repository")
    )
    fill(made)
    init_repository(made, keys=None, now_ms=units.now_ms())
    return made


def grow(settings: Settings, first: int) -> list[int]:
    with opened(settings) as lake:
        lake.catalog.load_table("shop.things").append(things(first, first + 1))
        return ids(lake)


@pytest.mark.parametrize("days", [1, -1])
def test_points_made_by_a_wrong_clock_are_points(
    settings: Settings, clock: SetClock, dp: Dp, home: Path, days: int
):
    """The newest point is the one with the highest number, whatever the times say."""
    at, rows = ("--config", str(settings.path)), []
    for number, error in enumerate((0, days, 0), start=1):
        clock(error)
        rows = grow(settings, 1000 * number)
        said = dp(*at, "backup", "--json")
        assert (said.code, said.json["point"], said.json["complete"]) == (0, number, True), said.err
    assert dp(*at, "points").code == 0
    assert dp(*at, "recovery").code in (0, 1)
    assert dp(*at, "verify", "--full").code == 0
    restored = dp(*at, "restore", "--to", "new", "--json")
    assert (restored.code, restored.json["point"]) == (0, 3), restored.err
    with opened(load_settings(home / "new" / "lakehouse.yaml", env={})) as lake:
        assert ids(lake) == rows


@pytest.mark.parametrize("days", [1, -1])
def test_a_prune_by_a_wrong_clock_deletes_nothing_that_is_needed(
    settings: Settings, clock: SetClock, dp: Dp, days: int
):
    """Three points in an hour, one of which is kept: never what that one needs."""
    at, rows = ("--config", str(settings.path)), []
    for number in range(3):
        rows = grow(settings, 1000 * number + 1000)
        assert dp(*at, "backup", "--history", "current").code == 0
    for error in (days, 0, days, 0):
        clock(error)
        pruned = dp(*at, "prune", "--yes")
        assert pruned.code == 0, pruned.err
        assert 3 in points_of(settings).numbers()
        check_repository(settings)
    again = grow(settings, 9000)
    assert dp(*at, "backup", "--json").code == 0
    assert again == [*rows, 9000]
    assert dp(*at, "verify", "--full").code == 0
    check_repository(settings)


def test_a_lease_of_another_clock_is_over_when_that_clock_is_right_again(
    settings: Settings, clock: SetClock, dp: Dp
):
    """A run of another machine was killed while its clock was ahead: it can be seen, and waits."""
    at = ("--config", str(settings.path))
    store = open_for_writing(settings).store
    clock(1)
    leases_of(store).acquire("backup", owner="elsewhere pid 1", ttl_ms=300_000, wait_ms=0)
    clock(0)
    refused = dp(*at, "backup")
    assert (refused.code, "elsewhere pid 1" in refused.err) == (3, True)
    assert "elsewhere pid 1" in dp(*at, "repo", "leases").out
    clock(1 + 301 / 86_400)
    assert backup(settings).record.complete
    clock(0)
    assert backup(settings).record.complete
    check_repository(settings)


def test_a_clock_that_jumps_while_a_backup_runs(settings: Settings, clock: SetClock, dp: Dp):
    """A day ahead in the middle: its lease has expired, by its own clock; there is no point."""

    def jump(location: str) -> None:
        if location.endswith(".parquet"):
            clock(1)

    with pytest.raises(TransientError, match="lease backup ended"):
        backup(settings, files=SeenFiles(on_open=jump))
    assert points_of(settings).numbers() == ()
    clock(0)
    assert backup(settings).record.complete
    check_repository(settings)
