"""A lakehouse that is made once, and put back before each test.

Its paths are absolute, so it is put back where it was.
"""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings


@dataclass(frozen=True)
class PreparedLake:
    """A lakehouse in ``folder/lake``, and a copy of it in ``folder/prepared``."""

    folder: Path
    settings: Settings

    @classmethod
    def make(cls, folder: Path, made: Callable[[Path], Settings]) -> Self:
        """What ``made`` makes in the folder that it is given."""
        (folder / "lake").mkdir()
        settings = made(folder / "lake")
        shutil.copytree(folder / "lake", folder / "prepared")
        return cls(folder, settings)

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / "prepared", self.folder / "lake")

    @contextmanager
    def opened(self) -> Generator[Lakehouse, None, None]:
        """The lakehouse as it was made; the test may change its settings."""
        self.put_back()
        with opened(self.settings.model_copy(deep=True)) as lake:
            yield lake
