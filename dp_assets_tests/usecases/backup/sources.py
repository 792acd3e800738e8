"""A table that is still there beside the repository of its points, and files that are otherwise."""

import io
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.spool import FolderSpool
from dp_assets.core.errors import TransientError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.records import RECOVERY_POINTS
from dp_assets.domains.backup.repository import Repository
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import Reader
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.drilling import Drilled, DrillWanted, drill
from dp_assets_tests.faults.sabotage import ORDERS, make_orders
from dp_assets_tests.usecases.backup.proven_points import commit_point, store_table
from dp_assets_tests.usecases.backup.table_points import new_repository


@dataclass
class Forged(LakeFiles):
    """Local files, some of which read otherwise than they are."""

    content: Mapping[str, bytes]
    inner: LakeFiles = field(default_factory=LocalLakeFiles)

    def stat(self, location: str) -> FileStat | None:
        return self.inner.stat(location)

    def read(self, location: str) -> bytes:
        return self.content.get(str(path_of(location))) or self.inner.read(location)

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return io.BytesIO(self.read(location))

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        raise AssertionError

    def delete(self, location: str) -> None:
        raise AssertionError


@dataclass
class Silent(Forged):
    """A store that does not answer, and how often it was asked."""

    asked: int = 0

    def read(self, location: str) -> bytes:
        self.asked += 1
        raise TransientError("no answer", hint="")


@dataclass
class Expiring(Forged):
    """Every file is there when one looks for the first time, and never again."""

    seen: set[str] = field(default_factory=set[str])

    def stat(self, location: str) -> FileStat | None:
        is_new = location not in self.seen
        self.seen.add(location)
        return self.inner.stat(location) if is_new else None


@dataclass(frozen=True)
class Stage:
    """A table that is still there, and a repository for points of it."""

    pointer: Path
    repository: Repository
    settings: Settings

    def back_up(self, content: Mapping[str, bytes] | None = None) -> None:
        files = Forged(content or {})
        line = store_table(self.repository, ORDERS, f"file://{self.pointer}", files)
        commit_point(self.repository, (line,), cut_at_ms=now_ms())

    def drill(self, *, everything: bool = False, source: bool = True) -> Drilled:
        wanted = DrillWanted(everything=everything, source=source)
        return drill(
            self.settings,
            self.repository,
            wanted,
            run_id="test",
            spool=FolderSpool(self.settings.spool_dir),
        )

    def metadata(self) -> dict[str, Any]:
        return json.loads(self.pointer.read_bytes())

    def lists(self) -> list[Path]:
        return [path_of(s["manifest-list"]) for s in self.metadata()["snapshots"]]

    def data_files(self) -> list[Path]:
        return sorted(self.pointer.parents[1].glob("data/**/*.parquet"))

    def rows(self) -> list[dict[str, object]]:
        spool = FolderSpool(self.settings.spool_dir)
        return [dict(row) for row in spool.read(spool.pending(RECOVERY_POINTS.table))]


def make_stage(folder: Path) -> Stage:
    """Three commits of a table, and an empty repository."""
    pointer = path_of(make_orders(folder / "src"))
    settings = load_settings(env={"DP_STATE": str(folder / "state")})
    return Stage(pointer, new_repository(folder / "repository"), settings)


def path_of(location: str) -> Path:
    return Path(location.removeprefix("file://"))
