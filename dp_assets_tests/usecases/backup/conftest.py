from collections.abc import Callable
from pathlib import Path

import pytest

from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import NewKeys

Given = Callable[..., Settings]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Settings with this `repository:` section."""

    def load(**repository: object) -> Settings:
        lines = "".join(f"  {name}: {value}\n" for name, value in repository.items())
        file = tmp_path / "lakehouse.yaml"
        file.write_text(f"repository:\n{lines}" if lines else "environment: test\n")
        return load_settings(file, env={})

    return load


@pytest.fixture
def keys(tmp_path: Path) -> NewKeys:
    return NewKeys(naming_key=tmp_path / "keys" / "naming", identity=tmp_path / "keys" / "identity")
