"""Where the leases of a lakehouse are when its catalog is not a database of ours."""

from pathlib import Path

import pytest

from dp_assets.adapters.objects.object_stores import open_store
from dp_assets.core.errors import ConfigurationError
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings, load_settings
from dp_assets_tests.services import S3


@pytest.fixture
def settings_for(s3: S3, tmp_path: Path):
    """Settings of a REST catalog over a warehouse at an address."""

    def make(warehouse: str) -> Settings:
        properties = "".join(f"    {name}: {value}\n" for name, value in s3.properties.items())
        file = tmp_path / "lakehouse.yaml"
        file.write_text(
            f"state: {tmp_path / 'state'}\n"
            f"catalog:\n  type: rest\n  uri: {s3.service.details['catalog']}\n"
            f"  properties:\n{properties}"
            f"warehouse:\n  root: {warehouse}\n",
            encoding="utf-8",
        )
        return load_settings(file)

    return make


def test_leases_of_a_rest_catalog_are_objects_under_the_warehouse(s3: S3, settings_for):
    settings = settings_for(s3.url)
    with opened(settings) as lake:
        lake.__dict__["catalog"] = None  # only its kind counts here, and it is no SqlCatalog
        lease = lake.leases.acquire("table/raw.flights", owner="me", ttl_ms=60_000, wait_ms=0)
    store = open_store(s3.url, properties=s3.properties, tmp_dir=settings.tmp_dir)
    assert [info.key for info in store.list("")] == [
        "_dp/leases/table=2Fraw=2Eflights/000000000001.json"
    ]
    with opened(settings) as lake:
        lake.__dict__["catalog"] = None
        assert lake.leases.held() == (lease,)


def test_a_warehouse_that_cannot_hold_leases_says_so(settings_for):
    with opened(settings_for("gs://bucket/lake")) as lake:
        lake.__dict__["catalog"] = None
        with pytest.raises(ConfigurationError, match="gs://bucket/lake/_dp is no place"):
            _ = lake.leases
