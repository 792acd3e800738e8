"""Fixtures: the lakehouse of ``expiries``."""

from collections.abc import Generator

import pytest

from dp_assets.lakehouse import Lakehouse
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.usecases.maintenance.expiries import lakehouse, run_expiry


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedLake:
    return PreparedLake.make(tmp_path_factory.mktemp("expiries"), lakehouse)


@pytest.fixture
def lake(prepared: PreparedLake) -> Generator[Lakehouse, None, None]:
    """Before an expiry."""
    with prepared.opened() as found:
        yield found


@pytest.fixture
def expired(lake: Lakehouse) -> Lakehouse:
    """After an expiry, its record in the trash."""
    run_expiry(lake)
    return lake
