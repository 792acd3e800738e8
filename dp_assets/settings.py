"""`lakehouse.yaml` and the environment as typed, frozen settings.

Dagster reads this whenever it loads the definitions, so it imports pydantic and yaml and nothing
heavier, and touches no file but the settings and the secrets that they name.
"""

import os
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from pydantic import Field, PrivateAttr

from dp_assets.core.yaml_model import build_model
from dp_assets.core.yaml_source import KeyPath, Problem, YamlSource, read_yaml
from dp_assets.project_files import project_file
from dp_assets.setting_sections import (
    FIRST_DAY,
    LAST_DAY,
    Benchmarks,
    Catalog,
    Contracts,
    Engines,
    Inventory,
    Leases,
    Pipeline,
    Schedules,
    Section,
    Spool,
    Ui,
    Warehouse,
)
from dp_assets.setting_sections_maintenance import Maintenance
from dp_assets.setting_sections_recovery import (
    Backup,
    Recovery,
    Replica,
    Repository,
    Retention,
)
from dp_assets.setting_types import Loading, StateDir, Text, absolute

FILE_NAME = "lakehouse.yaml"
DEFAULT_STATE = ".lakehouse"
MAX_DEMO_DAYS = 365
HINT = "'dp config --keys' lists every key with what it allows and its default"
Overrides = dict[KeyPath, tuple[str, str]]


class Settings(Section):
    """One lakehouse as its file and the environment describe it. Made by `load_settings`."""

    environment: Text = Field("local", description="Name of this environment, e.g. production.")
    state_dir: StateDir = Field(
        Path(DEFAULT_STATE),
        alias="state",
        description="Folder of all local state; relative to this file. DP_STATE overrides it.",
    )
    catalog: Catalog
    warehouse: Warehouse
    pipeline: Pipeline
    contracts: Contracts
    engines: Engines
    benchmarks: Benchmarks
    schedules: Schedules
    leases: Leases
    spool: Spool
    ui: Ui
    inventory: Inventory
    repository: Repository
    replica: Replica
    backup: Backup
    retention: Retention
    recovery: Recovery
    maintenance: Maintenance

    _path: Path = PrivateAttr(default=Path(FILE_NAME))
    _origins: Mapping[KeyPath, str] = PrivateAttr(default={})

    def model_post_init(self, context: object, /) -> None:
        """Keep what the loader knows besides the values."""
        if isinstance(context, Loading):
            self._path = context.path
            self._origins = context.origins

    @property
    def path(self) -> Path:
        """The file that was read."""
        return self._path

    def origin(self, key: KeyPath) -> str:
        """Where a key's value came from, e.g. ``line 12``, ``DP_STATE``, ``default``."""
        return self._origins.get(key, "default")

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.state_dir / "dagster"

    @property
    def spool_dir(self) -> Path:
        """Rows on their way to the ops tables."""
        return self.state_dir / "spool"

    @property
    def inventory_file(self) -> Path:
        """The tables found last, read when Dagster loads the definitions."""
        return self.state_dir / "inventory.json"

    @property
    def dumps_dir(self) -> Path:
        """Metastore dumps."""
        return self.state_dir / "dumps"

    @property
    def indexes_dir(self) -> Path:
        """What is known of repositories; can be made again from them."""
        return self.state_dir / "indexes"

    @property
    def reports_dir(self) -> Path:
        """Finished reports."""
        return self.state_dir / "reports"

    @property
    def cache_dir(self) -> Path:
        """What can be made again."""
        return self.state_dir / "cache"

    @property
    def tmp_dir(self) -> Path:
        """What no run needs once it has ended."""
        return self.state_dir / "tmp"


def load_settings(path: Path | None = None, *, env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; nothing else is touched.

    Args:
        path: the file; else ``DP_CONFIG`` names it, else it is ``./lakehouse.yaml``, else the
            shipped one, whose relative paths then start at the current folder.
        env: instead of this process's environment.

    Raises:
        ConfigurationError: with the file, and the line, key and remedy of every problem.
    """
    env = os.environ if env is None else env
    file, folder = _find(path, env)
    source = read_yaml(file, env=env)
    overrides = _overrides(source, env)
    loading = Loading(
        folder=folder,
        state_dir=_state_dir(source, overrides, folder),
        path=file,
        origins=_origins(source) | {key: name for key, (_, name) in overrides.items()},
    )
    return build_model(Settings, source, context=loading, overrides=overrides, hint=HINT)


def _find(path: Path | None, env: Mapping[str, str]) -> tuple[Path, Path]:
    """The file, and the folder that its relative paths start at."""
    here = Path.cwd()
    named = str(path or env.get("DP_CONFIG", ""))
    if not named and not (here / FILE_NAME).exists():
        return project_file(FILE_NAME), here
    file = absolute(named or FILE_NAME, here)
    return file, file.parent


def _overrides(source: YamlSource, env: Mapping[str, str]) -> Overrides:
    """What the environment says instead of the file, by key."""
    found: Overrides = {}
    if state := env.get("DP_STATE"):
        found["state",] = (str(absolute(state, Path.cwd())), "DP_STATE")
    if days := env.get("DP_DAYS"):
        first = _demo_first_day(source)
        if not days.isdecimal() or not 1 <= int(days) <= MAX_DEMO_DAYS:
            wrong = f"{days!r} is not a whole number from 1 to {MAX_DEMO_DAYS}"
            source.problems.append(Problem(None, ("DP_DAYS",), wrong))
        elif first and first + timedelta(days=int(days) - 1) > LAST_DAY:
            wrong = f"{days} days from {first} end after {LAST_DAY}"
            source.problems.append(Problem(None, ("DP_DAYS",), wrong))
        elif first:
            last = first + timedelta(days=int(days) - 1)
            found["pipeline", "demo_last_day"] = (str(last), "DP_DAYS")
    return found


def _demo_first_day(source: YamlSource) -> date | None:
    """The first day as the file has it; None where validation will refuse it."""
    pipeline = source.data.get("pipeline")
    text = pipeline.get("demo_first_day", "") if isinstance(pipeline, dict) else ""
    try:
        return date.fromisoformat(str(text)) if text else FIRST_DAY
    except ValueError:
        return None


def _state_dir(source: YamlSource, overrides: Overrides, folder: Path) -> Path:
    given = overrides.get(("state",), (source.data.get("state"), ""))[0]
    return absolute(given if isinstance(given, str) else DEFAULT_STATE, folder)


def _origins(source: YamlSource) -> dict[KeyPath, str]:
    """By key, the line, and the variables or the secret file that the value came from."""
    found: dict[KeyPath, str] = {}
    for key, text in source.written.items():
        via = re.findall(r"\$\{\w+\}", text) or re.findall(r"^file:(?!//).*", text)
        found[key] = ", ".join([f"line {source.lines.get(key, 0)}", *via])
    return found
