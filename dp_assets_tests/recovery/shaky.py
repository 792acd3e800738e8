"""A lakehouse on disk whose repository is in a bucket, behind a proxy that fails on purpose."""

import secrets
from pathlib import Path

from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets_tests.adapters.faulty_s3 import FaultyS3
from dp_assets_tests.cli.conftest import Dp, Said
from dp_assets_tests.cli.things import things
from dp_assets_tests.recovery.lakes import fill, readings, write_settings
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.backups import backup, points_of

QUICK = "  deadline_seconds: 5"
WORDS = {
    "backup": ("backup", "--json"),
    "verify": ("verify", "--full", "--json"),
    "restore": ("restore", "--to", "new", "--json"),
}


class Shaky:
    """A lakehouse on disk whose repository is behind the proxy."""

    def __init__(self, s3: S3, proxy: FaultyS3, folder: Path) -> None:
        self.s3, self.proxy = s3, proxy
        behind = {**s3.properties, "s3.endpoint": proxy.address}
        self.settings = write_settings(
            folder / "lakehouse.yaml",
            repository=f"{s3.url}/backups",
            repository_s3=behind,
            more=QUICK,
        )
        fill(self.settings)
        init_repository(self.settings, keys=None, now_ms=1)
        assert backup(self.settings).record.complete

    def add_rows(self) -> None:
        """Something for the next backup to store, which no other has stored."""
        first = secrets.randbelow(10**9)
        with opened(self.settings) as lake:
            lake.catalog.load_table("shop.things").append(things(first, first + 2))

    def run(self, dp: Dp, verb: str) -> Said:
        return dp("--config", str(self.settings.path), *WORDS[verb])


def heal(proxy: FaultyS3) -> None:
    proxy.fault, proxy.matching, proxy.times = "", "", None
    proxy.released.set()
    proxy.released.clear()


def visible(home: Path) -> dict[str, object]:
    file = home / "new" / "lakehouse.yaml"
    if not file.exists():
        return {}
    return dict(readings(load_settings(file, env={})))


def data_object_of(settings: Settings, table: str) -> str:
    """The name of a data file's object that no other table needs, in the newest point."""
    points = points_of(settings)
    lines = {t.table: t for t in points.manifest(points.record(points.numbers()[-1])).tables}
    mine, others = (
        {f.ref.name for f in points.content(lines[name]).files if f.file.kind is FileKind.DATA}
        for name in (table, "shop.orders")
    )
    return min(mine - others)
