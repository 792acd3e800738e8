"""What loading the code location may not import: it has to cost little more than Dagster itself."""

import subprocess
import sys

import pytest

LOAD = """
import sys, warnings
warnings.simplefilter("ignore")
from dp_assets.definitions import defs
defs().get_repository_def()
print(" ".join(sys.modules))
"""
ENGINES = (
    "altair",
    "duckdb",
    "jinja2.environment",
    "numpy",
    "pandas",
    "pandera",
    "polars",
    "pyarrow",
    "pyiceberg.catalog",
    "pyiceberg.io",
    "pyiceberg.table",
    "vl_convert",
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The modules of a fresh process that has just loaded the location."""
    state = tmp_path_factory.mktemp("state")
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        env={"DP_STATE": str(state), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("engine", ENGINES)
def test_loading_the_location_leaves_engines_alone(loaded, engine):
    assert engine not in loaded


def test_the_location_was_loaded(loaded):
    assert {"dp_assets.defs.pipeline.assets", "dp_assets.defs.lake.discovered"} <= loaded
