"""A real lakehouse in an empty folder, and its command line in this process."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dp_assets.cli.main import main
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.initialising import initialise


@dataclass(frozen=True)
class Said:
    """How one command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Dp = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder without settings: the shipped ones apply, their state is in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DP_CONFIG", "")  # `--config` sets it for the process
    for name in ("DP_STATE", "DP_DAYS", "DP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def dp(home: Path, capsys: pytest.CaptureFixture[str]) -> Dp:
    """Run one `dp` command line."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        return Said(int(code), said.out, said.err)

    return run


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings()


@pytest.fixture
def lake(settings: Settings) -> Generator[Lakehouse, None, None]:
    """The lakehouse of the working folder, initialised."""
    initialise(settings)
    with opened(settings) as found:
        yield found
