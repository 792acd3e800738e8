from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets_tests.adapters.orders import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """A real lakehouse without tables."""
    opened = Lake(tmp_path)
    yield opened
    opened.close()
