"""A small real lakehouse with recovery points, before its disaster."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.drilling import DrillWanted, drill
from dp_assets.usecases.backup.making_repository import NewKeys, init_repository
from dp_assets.usecases.backup.repositories import open_for_writing
from dp_assets.usecases.dumping import dump
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.adapters import real_lakehouse as real
from dp_assets_tests.runbooks.pages import NEW_DP, Shell
from dp_assets_tests.usecases.backup import backups

FLIGHTS, PLANES = TableId("raw", "flights"), TableId("raw", "planes")


@dataclass(frozen=True)
class Scene:
    """A lakehouse in a folder, its repository in another, and a shell in the first."""

    settings: Settings
    repository: Path
    shell: Shell

    def rows(self, table: TableId = FLIGHTS) -> int:
        """As PyIceberg reads them now."""
        return real.rows_of(load_settings(self.settings.path, env={}), table)

    def content(self) -> Mapping[str, bytes]:
        """Every file of the warehouse."""
        return real.content(self.settings.state_dir / "warehouse")

    def files(self, table: TableId = FLIGHTS) -> list[Path]:
        """The data files of the current snapshot."""
        return backups.data_files(self.settings, table)


def make_scene(
    folder: Path,
    *,
    keys: Path | None = None,
    repository: bool = True,
    commits: int = 3,
    dp: str = NEW_DP,
) -> Scene:
    """Two tables in ``folder/lake``, an empty repository beside it.

    Args:
        folder: an empty one.
        keys: where to make keys; None for a repository without encryption.
        repository: False leaves it to be made.
        commits: of each table, ten rows and a file each.
        dp: what the shell runs for `dp`.
    """
    home, place = folder / "lake", folder / "repository"
    home.mkdir()
    text = f"repository:\n  url: {place}\n"
    if keys:
        init = real.settings_in(home, text)
        new = NewKeys(naming_key=keys / "naming.key", identity=keys / "first.key")
        init_repository(init, keys=new, now_ms=now_ms())
        text += f"  naming_key: file:{keys}/naming.key\n  identity_files: [{keys}/first.key]\n"
    settings = real.settings_in(home, text)
    initialise(settings, origin="test")
    with opened(settings) as lake:
        for table in (FLIGHTS, PLANES):
            real.fill(lake, table, commits=commits)
    if repository and not keys:
        init_repository(settings, keys=None, now_ms=now_ms())
    shell = Shell(home, {"REPOSITORY": str(place)}, dp=dp)
    return Scene(settings, place, shell)


def take_point(scene: Scene) -> None:
    assert backups.backup(scene.settings).record.complete


def take_dump(scene: Scene) -> None:
    with opened(scene.settings) as lake:
        assert dump(lake).check.good


def hold_drill(scene: Scene) -> None:
    """The newest point is proven."""
    held = drill(
        scene.settings,
        open_for_writing(scene.settings),
        DrillWanted(),
        run_id="test",
        spool=None,
    )
    assert held.record.proven
