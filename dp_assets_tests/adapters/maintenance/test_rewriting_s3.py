"""A table in a bucket: its new files are sent there, and none of them stays anywhere else."""

from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from dp_assets.adapters.maintenance.duckdb_rewrite import rewriter
from dp_assets.adapters.maintenance.group_proof import GroupProof
from dp_assets.adapters.maintenance.group_rewriting import RewriteSettings
from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.compaction import plan_compaction
from dp_assets.ports.compaction import RewrittenGroup
from dp_assets.ports.recovery import History
from dp_assets_tests.adapters.maintenance.rewriting import (
    ALL,
    append,
    parquet_files,
    rows_of,
    shown,
)
from dp_assets_tests.services import S3

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "text", StringType(), required=False),
)


def test_a_table_in_a_bucket(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    catalog = SqlCatalog("c", uri=f"sqlite:///{tmp_path}/c.db", warehouse=s3.url, **s3.properties)
    catalog.create_namespace("n")
    table = catalog.create_table("n.t", SCHEMA)
    for n in range(3):
        append(table, {"id": n, "text": f"it's {n}"}, {"id": None})
    before = listed(table.io, table.location())

    def rewrite() -> tuple[RewrittenGroup, ...]:
        files = CatalogFiles(s3.properties, tmp_dir=tmp_path / "tmp")
        closure = read_closure(files, table.metadata_location, history=History.CURRENT)
        plan = plan_compaction("n.t", closure, rule=ALL)
        settings = RewriteSettings("128MB", 1, tmp_path / "staging", s3.properties)
        with rewriter(plan, closure, files=files, io=table.io, settings=settings) as work:
            return tuple(work.rewrite(group) for group in plan.groups)

    groups = rewrite()
    written = [file for group in groups for file in group.written]
    assert rows_of(table, groups) == shown(table.scan().to_arrow())
    assert listed(table.io, table.location()) - before == {file.path for file in written}
    assert parquet_files(tmp_path) == set()
    secret = s3.properties["s3.secret-access-key"]
    assert secret not in repr(RewriteSettings("1MB", 1, tmp_path, s3.properties))

    def differs(*_: object) -> None:
        raise PermanentError("differs", hint="")

    monkeypatch.setattr(GroupProof, "prove", differs)
    after = listed(table.io, table.location())
    with pytest.raises(PermanentError, match="differs"):
        rewrite()
    assert listed(table.io, table.location()) == after
    assert parquet_files(tmp_path) == set()
    catalog.close()


def listed(io: PyArrowFileIO, location: str) -> set[str]:
    from pyarrow.fs import FileSelector

    system = io.fs_by_scheme("s3", None)
    folder = location.removeprefix("s3://")
    found = system.get_file_info(FileSelector(f"{folder}/data", recursive=True))
    return {f"s3://{one.path}" for one in found if one.is_file}
