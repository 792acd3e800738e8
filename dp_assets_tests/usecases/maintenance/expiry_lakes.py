"""Fixtures: the lakehouse of ``expiries``, made once and put back before each test.

Its paths are absolute, so it is put back where it was.
"""

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings
from dp_assets_tests.usecases.maintenance.expiries import lakehouse, run_expiry


@dataclass(frozen=True)
class Prepared:
    """A lakehouse in ``folder/lake``, and a copy of it in ``folder/prepared``."""

    settings: Settings
    folder: Path

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / "prepared", self.folder / "lake")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("expiries")
    settings = lakehouse(folder)
    shutil.copytree(folder / "lake", folder / "prepared")
    return Prepared(settings, folder)


@pytest.fixture
def lake(prepared: Prepared) -> Generator[Lakehouse, None, None]:
    """Before an expiry."""
    prepared.put_back()
    with opened(prepared.settings.model_copy(deep=True)) as found:
        yield found


@pytest.fixture
def expired(lake: Lakehouse) -> Lakehouse:
    """After an expiry, its record in the trash."""
    run_expiry(lake)
    return lake
