"""Catalog, warehouse and repository in every kind of place: back up, verify, drill, restore."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.dev.seaweed import KEEPING_BUCKET
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import opened
from dp_assets.settings import Settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.backup.repositories import open_at
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.recovery.lakes import (
    SHOP,
    change,
    environment,
    fill,
    ids,
    readings,
    write_settings,
)
from dp_assets_tests.services import S3, Postgres
from dp_assets_tests.usecases.backup.backups import SeenFiles, backup, check_repository

DURING = 6  # commits of the other process while files are copied
ENCRYPTED_THERE = "  server_side_encryption: AES256"
WRITER = """
import itertools, sys
import pyarrow as pa
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from pathlib import Path
with opened(load_settings(Path(sys.argv[1]), env={})) as lake:
    for number in itertools.count():
        if not sys.stdin.readline():
            break
        for name in ("shop.orders", "shop.things"):
            table = lake.catalog.load_table(name)
            table.append(table.scan(limit=1).to_arrow())
        print(number, flush=True)
"""


def lake_in(folder: Path, s3: S3, *, warehouse: str, repository: str) -> Settings:
    """A lakehouse whose warehouse and repository are each on ``disk`` or in a ``bucket``."""
    in_bucket = repository == "bucket"
    settings = write_settings(
        folder / "old" / "lakehouse.yaml",
        warehouse=f"{s3.url}/warehouse" if warehouse == "bucket" else "warehouse",
        s3=s3.properties if warehouse == "bucket" else None,
        repository=f"{s3.keeping_url}/backups" if in_bucket else str(folder / "repository"),
        repository_s3=s3.properties_of("writer") if in_bucket else None,
        more=ENCRYPTED_THERE if in_bucket else "",
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    return settings


@pytest.mark.parametrize(
    ("warehouse", "repository"), [("bucket", "disk"), ("bucket", "bucket"), ("disk", "bucket")]
)
def test_there_and_back(
    tmp_path: Path, s3: S3, dp: Dp, home: Path, warehouse: str, repository: str
):
    """By a writer who cannot delete, where the repository is in a bucket."""
    settings = lake_in(tmp_path, s3, warehouse=warehouse, repository=repository)
    before = readings(settings)
    at = ("--config", str(settings.path))
    for expected in ("2", "0"):  # a second backup is not blocked by what the first cannot delete
        made = dp(*at, "backup", "--json")
        assert (made.code, made.json["complete"]) == (0, True), made.err
        assert (made.json["copied"] > 0) is (expected == "2")
    assert dp(*at, "verify", "--full").code == 0
    if warehouse == repository:
        drilled = dp(*at, "drill", "--json")
        assert drilled.code == 0, drilled.out + drilled.err
    assert check_repository(settings) == (1, 2)
    if repository == "bucket":
        require_encrypted(settings, replace(s3, bucket=KEEPING_BUCKET))
    new = home / "new"
    if warehouse == "bucket":
        to = ("--to", f"sqlite:///{home}/new.db", "--to", f"{s3.url}/new")
    else:
        to = ("--to", str(new))
    said = dp(*at, "restore", *to, "--json")
    assert said.code == 0, said.err
    root = f"{s3.url}/new" if warehouse == "bucket" else f"file://{new}"
    assert all(t["location"].startswith(root) for t in said.json["tables"])
    target = find_target([word for word in to if word != "--to"], settings)
    with opened(target.settings) as lake:
        assert set(readings(target.settings)) == set(SHOP)
        assert readings(target.settings) == before
        rows = ids(lake)
        change(lake)
        assert ids(lake) == [*rows, 201, 202, 203, 204]
    assert readings(settings) == before


def require_encrypted(settings: Settings, s3: S3) -> None:
    """The server says of every object that it keeps it sealed (SSE-S3)."""
    store = open_at(
        settings.repository.url, properties=settings.repository.plain_properties()
    ).store
    keys = [info.key for info in store.list("objects/")]
    assert keys
    for key in keys:
        said = s3.ask("HEAD", f"backups/{key}").headers
        assert said["x-amz-server-side-encryption"] == "AES256", key


def test_a_replica_in_a_bucket_is_enough(tmp_path: Path, s3: S3, dp: Dp, home: Path):
    settings = write_settings(tmp_path / "old" / "lakehouse.yaml", repository=f"{tmp_path}/first")
    more = "".join(f"    {name}: '{value}'\n" for name, value in s3.properties.items())
    settings.path.write_text(
        f"{settings.path.read_text()}\nreplica:\n  url: {s3.url}/second\n  properties:\n{more}"
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    before = readings(settings)
    at = ("--config", str(settings.path))
    assert backup(settings).record.complete
    copied = dp(*at, "replicate", "--json")
    assert (copied.code, copied.json["points"]) == (0, [1]), copied.err
    assert backup(settings).record.complete
    copied = dp(*at, "replicate", "--json")
    assert (copied.json["points"], copied.json["state"]["newest_there"]) == ([2], 2)
    shutil.rmtree(tmp_path / "old")
    shutil.rmtree(tmp_path / "first")
    source = open_at(f"{s3.url}/second", properties=s3.properties)
    target = find_target([str(home / "new")], settings)
    done = restore(source, target, plan_restore(source, target, Wanted()))
    assert not done.refused
    assert readings(target.settings) == before


def test_one_moment_of_a_catalog_in_postgresql_while_another_process_commits(
    tmp_path: Path, s3: S3, postgres: Postgres, dp: Dp
):
    """The writer appends to orders, then to things: at no moment has things more of them."""
    folder = tmp_path / "old"
    settings = write_settings(
        folder / "lakehouse.yaml",
        catalog=postgres.url,
        repository=f"{s3.url}/backups",
        repository_s3=s3.properties,
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(settings.path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        files = SeenFiles(on_open=lambda _: commits(writer, len(files.opened) < DURING))
        commits(writer, 2)
        outcome = backup(settings, files=files, sample_files=0)
    assert writer.returncode == 0
    manifest = outcome.manifest
    assert (manifest.cut, manifest.skew_ms, outcome.record.complete) == ("exact", 0, True)
    orders, things = (next(t.rows or 0 for t in manifest.tables if t.table == n) for n in SHOP)
    # fill() leaves things 3 rows ahead
    assert 24 < orders < 24 + 2 + DURING
    assert orders + 2 <= things <= orders + 3
    pointers = {line.table: line.pointer for line in manifest.tables}
    with opened(settings) as lake:
        for name in SHOP:
            assert lake.catalog.load_table(name).metadata_location != pointers[name]
    target = find_target([str(tmp_path / "new")], settings)
    source = open_at(f"{s3.url}/backups", properties=s3.properties)
    restore(source, target, plan_restore(source, target, Wanted()))
    with opened(target.settings) as lake:
        assert [len(ids(lake, name)) for name in SHOP] == [orders, things]


def commits(writer: "subprocess.Popen[str]", number: int) -> None:
    """Have the other process commit to both tables, and wait until it has."""
    assert writer.stdin
    assert writer.stdout
    for _ in range(number):
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline()


def test_from_one_postgresql_to_another(tmp_path: Path, postgres: Postgres, dp: Dp, home: Path):
    settings = write_settings(
        tmp_path / "old" / "lakehouse.yaml",
        catalog=postgres.url,
        repository=str(tmp_path / "repository"),
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    before = readings(settings)
    at = ("--config", str(settings.path))
    assert dp(*at, "backup").code == 0
    there = postgres.create_database()
    said = dp(*at, "restore", "--to", there, "--to", f"{home}/files", "--json")
    assert said.code == 0, said.err
    assert there not in said.out + said.err
    target = find_target([there, f"{home}/files"], settings)
    assert readings(target.settings) == before == readings(settings)
    dropped = dp(*at, "restore", "--to", there, "--to", f"{home}/files")
    assert dropped.code == 3
    with opened(target.settings) as lake:
        change(lake)
        assert len(ids(lake)) == 31
