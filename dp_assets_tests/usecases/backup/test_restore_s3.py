"""Into a bucket, and out of one: the restored lake is then written and read like any other."""

import shutil
from pathlib import Path

from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.cli.things import things
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup import mapped_io
from dp_assets_tests.usecases.backup.readings import by_duckdb, by_pyiceberg
from dp_assets_tests.usecases.backup.shops import in_order, make_shop, tables_in
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import POINTERS, PREFIX, TABLES, unpack_zoo

LAST_ID = 201  # of shop.things


def settings_with(s3: S3, folder: Path) -> Settings:
    """A lakehouse that is not there yet: its catalog on disk, its files in a bucket."""
    lines = ["state: state", "catalog:", f"  uri: sqlite:///{folder}/new.db", "  properties:"]
    lines += [f"    {name}: '{value}'" for name, value in s3.properties.items()]
    lines += ["warehouse:", f"  root: {s3.url}/warehouse"]
    file = folder / "s3.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return load_settings(file)


def rows_of(lake: Lakehouse, name: str) -> list[dict[str, object]]:
    return in_order(lake.catalog.load_table(name).scan().to_arrow())


def test_a_lake_on_disk_becomes_one_in_a_bucket(tmp_path: Path, s3: S3):
    shop = make_shop(tmp_path)
    target = find_target([], settings_with(s3, tmp_path))
    done = restore(shop.repository, target, plan_restore(shop.repository, target, Wanted()))
    assert not done.refused
    with opened(target.settings) as lake:
        assert {n: rows_of(lake, n) for n in shop.rows} == shop.rows
        table = lake.catalog.load_table("shop.things")
        table.append(things(50, 55))
        table.delete("id = 50")
        with lake.reader() as reader:
            reader.attach(lake.tables())
            found = reader.connection.sql("SELECT count(*), max(id) FROM shop.things").fetchone()
        assert found == (len(shop.rows["shop.things"]) + 4, LAST_ID)
        assert lake.require_identity("test").lakehouse_id == done.lakehouse_id


def test_the_zoo_in_a_bucket_reads_as_before(tmp_path: Path, s3: S3):
    zoo = unpack_zoo(tmp_path)
    source = mapped_io.properties(PREFIX, str(zoo.folder))
    before = {name: by_pyiceberg(str(zoo.path(POINTERS[name])), source) for name in TABLES}
    repository = new_repository(tmp_path / "repository")
    add_point(repository, {f"zoo.{n}": p for n, p in POINTERS.items()}, read=zoo.files.read)
    shutil.rmtree(zoo.folder)
    target = find_target([], settings_with(s3, tmp_path))
    restore(repository, target, plan_restore(repository, target, Wanted()))
    for table, pointer in tables_in(target).items():
        assert pointer.startswith(f"{s3.url}/warehouse/zoo/")
        assert by_pyiceberg(pointer, s3.properties) == before[table.name]
        if table.name != "equality":  # PyIceberg has nothing to compare with
            after = by_duckdb(pointer, tmp_path, s3.properties)
            assert after == {name: before[table.name][name] for name in after}
