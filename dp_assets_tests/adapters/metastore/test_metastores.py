"""Which adapter dumps a catalog."""

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.metastore.metastore_postgres import PostgresMetastore
from dp_assets.adapters.metastore.metastores import metastore_for
from dp_assets_tests.adapters.dumps import NAME, clock
from dp_assets_tests.services import Postgres


def test_the_adapter_is_chosen_by_the_catalog(postgres: Postgres):
    url = postgres.create_database()
    catalog = SqlCatalog(NAME, uri=url)
    chosen = metastore_for(catalog, uri=url, now_ms=clock)
    catalog.close()
    assert isinstance(chosen, PostgresMetastore)
