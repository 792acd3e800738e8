"""A small lakehouse with everything that a restore must bring back, in any catalog and place."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import Target
from dp_assets.usecases.backup.restoring import restore
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.cli.things import make_things, things
from dp_assets_tests.usecases.backup.readings import Readings, by_pyiceberg
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import POINTERS, unpack_zoo

ROOT = Path(__file__).parents[2]
SHOP = ("shop.orders", "shop.things")
ZOO = ("v2_mor", "v3_dv")  # position deletes, deletion vectors; branches and tags
AWS = {
    "s3.endpoint": "AWS_ENDPOINT_URL",
    "s3.access-key-id": "AWS_ACCESS_KEY_ID",
    "s3.secret-access-key": "AWS_SECRET_ACCESS_KEY",
    "s3.region": "AWS_REGION",
}


@dataclass(frozen=True)
class Ended:
    """How a command line in a process of its own ended."""

    code: int
    out: str
    err: str


def write_settings(
    file: Path,
    *,
    repository: str,
    catalog: str = "sqlite:///catalog.db",
    warehouse: str = "warehouse",
    s3: Mapping[str, str] | None = None,
    repository_s3: Mapping[str, str] | None = None,
    more: str = "",
) -> Settings:
    """A lakehouse.yaml, read.

    Args:
        file: its name; relative places are beside it.
        repository: where the recovery points are to be.
        catalog: SQLAlchemy's address.
        warehouse: a folder or a prefix in a bucket.
        s3: properties of the catalog.
        repository_s3: other ones for the repository.
        more: lines of the section ``repository``, indented.
    """
    lines = ["state: state", "catalog:", f"  uri: {catalog}", *_properties(s3)]
    lines += ["warehouse:", f"  root: {warehouse}", "leases:", "  wait_seconds: 0"]
    lines += ["repository:", f"  url: {repository}", *_properties(repository_s3)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, *more.splitlines(), ""]), encoding="utf-8")
    return load_settings(file, env={})


def _properties(s3: Mapping[str, str] | None) -> list[str]:
    return ["  properties:", *(f"    {k}: '{v}'" for k, v in s3.items())] if s3 else []


def fill(settings: Settings) -> None:
    """Make the lakehouse with two tables; one has a tag, a branch and one more commit."""
    initialise(settings, origin="test")
    with opened(settings) as lake:
        for name in SHOP:
            make_things(lake.catalog, *name.split("."))
        table = lake.catalog.load_table("shop.things")
        with table.manage_snapshots() as manage:
            manage.create_tag(table.metadata.snapshots[0].snapshot_id, "first")
            manage.create_branch(table.metadata.snapshots[1].snapshot_id, "try")
        table.append(things(100, 103))


def add_zoo(settings: Settings, folder: Path) -> None:
    """Two tables of Spark with their deletes, at paths of this lakehouse."""
    zoo = unpack_zoo(folder)
    source = new_repository(folder / "zoo-repository")
    add_point(source, {f"zoo.{name}": POINTERS[name] for name in ZOO}, read=zoo.files.read)
    target = Target(settings, str(settings.warehouse.root))
    done = restore(source, target, plan_restore(source, target, Wanted()))
    assert not done.refused


def readings(settings: Settings, *, but: Sequence[str] = ("ops",)) -> dict[str, Readings]:
    """Every table at every snapshot and ref, without those of some namespaces."""
    with opened(settings) as lake:
        return {
            str(table): by_pyiceberg(pointer, settings.catalog.plain_properties())
            for table, pointer in list_pointers(lake.catalog).items()
            if table.namespace not in but
        }


def change(lake: Lakehouse) -> None:
    """An append, a delete and a new table, as anybody does."""
    table = lake.catalog.load_table("shop.things")
    table.append(things(200, 205))
    table.delete("id = 200")
    make_things(lake.catalog, name="later")


def ids(lake: Lakehouse, name: str = "shop.things") -> list[int]:
    """Column ``id`` of a table as DuckDB reads it, in order."""
    namespace, _, table = name.partition(".")
    with lake.reader() as reader:
        reader.attach(lake.tables())
        found = reader.connection.sql(f'SELECT id FROM "{namespace}"."{table}" ORDER BY id')
        return [row[0] for row in found.fetchall()]


def environment(s3: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of a machine which knows nothing of this project, but credentials for a bucket."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    keys = {AWS[name]: value for name, value in (s3 or {}).items()}
    return {**kept, **keys, "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"}


def command(*arguments: str) -> list[str]:
    """``dp`` in a process of its own."""
    return [sys.executable, "-m", "dp_assets.cli.main", *arguments]


def run(*words: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """A program to its end."""
    done = subprocess.run(
        list(words), cwd=cwd, env=dict(env or environment()), capture_output=True, text=True
    )
    return Ended(done.returncode, done.stdout, done.stderr)
