"""Two days of the whole pipeline with the catalog in SQLite and the warehouse in a bucket."""

from pathlib import Path

import dagster as dg
import pytest

from dp_assets.adapters.catalogs import open_catalog
from dp_assets.domains.pipeline import graph, tables
from dp_assets.settings import load_settings
from dp_assets_tests.adapters.week_of_flights import DAYS, FLIGHTS_A_DAY, write_week
from dp_assets_tests.defs.pipeline_lake import PipelineLake, failures
from dp_assets_tests.services import S3

TWO = DAYS[:2]


@pytest.fixture
def house(tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> PipelineLake:
    """As the one on disk, with nothing in its tables but the dimensions."""
    made = PipelineLake(tmp_path)
    monkeypatch.delenv("DP_STATE", raising=False)
    monkeypatch.setenv("DP_CONFIG", str(made.config))
    write_week(tmp_path / "source")
    lines = ["environment: test", "pipeline:", f"  source: {tmp_path / 'source'}"]
    lines += ["catalog:", "  properties:", *(f"    {k}: '{v}'" for k, v in s3.properties.items())]
    lines += ["warehouse:", f"  root: {s3.url}/warehouse"]
    made.config.write_text("\n".join(lines), encoding="utf-8")
    settings = load_settings(made.config, env={})
    settings.state_dir.mkdir()
    where = settings.catalog
    open_catalog(
        where.name,
        kind=where.type,
        uri=where.uri,
        warehouse=settings.warehouse.root,
        properties=where.plain_properties(),
    ).close()
    made.add_dimensions()
    return made


def test_two_days_arrive_and_the_same_again_changes_nothing(
    house: PipelineLake, s3: S3, instance: dg.DagsterInstance
):
    result = house.run("days", instance, days=(TWO[0], TWO[1]))
    assert result.success, failures(result)
    for spec in (tables.RAW_FLIGHTS, tables.CURATED_FLIGHTS):
        assert house.days_in(spec) == dict.fromkeys(TWO, FLIGHTS_A_DAY)
    house.check_record(instance)
    with house.open() as lake:
        for daily in graph.DAILY:
            location = lake.catalog.load_table(daily.spec.table.identifier).location()
            assert location.startswith(f"{s3.url}/warehouse/")
    before = house.content(*(daily.spec for daily in graph.DAILY))
    assert house.run("days", instance, days=(TWO[1], TWO[1])).success
    assert house.content(*(daily.spec for daily in graph.DAILY)) == before
    assert not [path for path in house.folder.rglob("*.parquet") if "source" not in path.parts]
