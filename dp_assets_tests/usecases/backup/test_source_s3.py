"""A drill whose source is in a bucket: read with the catalog's keys, which are written nowhere."""

from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.units import now_ms
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.drilling import Drilled, DrillWanted, Watch, drill
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.proven_points import commit_point, store_table
from dp_assets_tests.usecases.backup.table_points import new_repository

TABLE = "shop.things"


def make_things(folder: Path, s3: S3) -> str:
    """A table in the bucket, of two commits; its pointer."""
    catalog = SqlCatalog("src", uri=f"sqlite:///{folder}/c.db", warehouse=s3.url, **s3.properties)
    catalog.create_namespace("shop")
    rows = pa.table({"id": [1, 2, 3], "name": ["a", None, "c"]})
    table = catalog.create_table(TABLE, rows.schema)
    table.append(rows)
    table.append(rows)
    catalog.close()
    return table.metadata_location


def settings_with(properties: dict[str, str], folder: Path) -> Settings:
    lines = ["state: state", "catalog:", "  properties:"]
    lines += [f"    {name}: '{value}'" for name, value in properties.items()]
    (folder / "s3.yaml").write_text("\n".join(lines), encoding="utf-8")
    return load_settings(folder / "s3.yaml")


def test_a_source_in_a_bucket(tmp_path: Path, s3: S3) -> None:
    repository = new_repository(tmp_path / "repository")
    files = CatalogFiles(s3.properties, tmp_dir=tmp_path)
    line = store_table(repository, TABLE, make_things(tmp_path, s3), files)
    commit_point(repository, (line,), cut_at_ms=now_ms())

    def drilled(properties: dict[str, str]) -> Drilled:
        settings = settings_with(properties, tmp_path)
        wanted = DrillWanted(everything=True, keep=True)
        return drill(settings, repository, wanted, run_id="test", spool=None, watch=Watch())

    done = drilled(s3.properties)
    [proof] = done.proofs
    assert (proof.source, proof.source_snapshots) == ("equal to the source", 2), done.warnings
    secret = s3.properties["s3.secret-access-key"].encode()
    told = [path for path in (Path(done.scratch) / "proof").iterdir() if path.is_file()]
    assert told
    assert not [path for path in told if secret in path.read_bytes()]

    wrong = drilled({**s3.properties, "s3.secret-access-key": "not-the-key"})
    assert (wrong.record.proven, wrong.proofs[0].source_snapshots) == (True, 0)
    assert "the source cannot be read" in wrong.warnings[0]
    assert "not-the-key" not in wrong.warnings[0]
