from collections.abc import Generator
from pathlib import Path

import dagster as dg
import pytest

from dp_assets_tests.defs.pipeline_lake import PipelineLake


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineLake:
    """A lakehouse with five days in its source and nothing in its tables but the dimensions."""
    made = PipelineLake(tmp_path)
    monkeypatch.delenv("DP_STATE", raising=False)
    monkeypatch.setenv("DP_CONFIG", str(made.config))
    made.prepare()
    made.add_dimensions()
    return made


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance, None, None]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made
