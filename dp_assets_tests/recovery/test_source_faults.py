"""A warehouse in a bucket that fails while it is backed up: the point says what it lacks."""

from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.settings import Settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets_tests.adapters.faulty_s3 import FaultyS3, faulty
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.recovery.lakes import fill, write_settings
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.backups import check_repository, points_of

pytestmark = pytest.mark.timeout(90, method="thread")
WORDS = {403: "access denied", 404: "is not there", 503: "too busy"}


@pytest.fixture
def proxy(s3: S3) -> Generator[FaultyS3]:
    with faulty(s3.service.address) as running:
        yield running


@pytest.fixture
def settings(s3: S3, proxy: FaultyS3, tmp_path: Path) -> Settings:
    """Made past the proxy, which PyArrow cannot write through."""
    made, behind = (
        write_settings(
            tmp_path / file,
            warehouse=f"{s3.url}/warehouse",
            s3={**s3.properties, "s3.endpoint": address},
            repository=str(tmp_path / "repository"),
        )
        for file, address in (
            ("direct.yaml", s3.service.address),
            ("lakehouse.yaml", proxy.address),
        )
    )
    fill(made)
    init_repository(made, keys=None, now_ms=1)
    return behind


@pytest.mark.parametrize("fault", WORDS)
def test_a_table_that_cannot_be_read_is_named_and_the_other_is_whole(
    settings: Settings, proxy: FaultyS3, dp: Dp, fault: int
):
    at = ("--config", str(settings.path))
    proxy.fault, proxy.matching = fault, r"(GET|HEAD) .*/shop/things/data/.*parquet"
    said = dp(*at, "backup", "--json")
    assert (said.code, said.json["complete"]) == (1, False), said.err
    assert "shop.things" in said.json["problem"]
    assert "shop.orders" not in said.json["problem"]
    assert WORDS[fault] in said.json["problem"]
    proxy.fault = ""
    again = dp(*at, "backup", "--json")
    assert (again.code, again.json["complete"]) == (0, True), again.err
    assert check_repository(settings) == (1, 2)
    assert [points_of(settings).record(n).complete for n in (1, 2)] == [False, True]
