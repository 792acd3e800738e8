"""Ctrl-C, a full disk, a locked catalog: the exit code says so, and the next run works."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE

import pyarrow as pa
import pytest

from dp_assets.cli.exits import ExitCode
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets_tests.adapters.faulty_s3 import FaultyS3, faulty
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import things
from dp_assets_tests.faults.test_resources import HOLDER, limit
from dp_assets_tests.recovery.lakes import command, environment, fill, readings, write_settings
from dp_assets_tests.recovery.shaky import WORDS, Shaky, data_object_of, heal, visible
from dp_assets_tests.services import S3
from dp_assets_tests.usecases.backup.backups import backup, check_repository, points_of

pytestmark = pytest.mark.timeout(90, method="thread")
OWN = {"shop.orders", "shop.things"}


@pytest.fixture
def shaky(s3: S3, tmp_path: Path) -> Generator[Shaky]:
    with faulty(s3.service.address) as proxy:
        yield Shaky(s3, proxy, tmp_path / "shaky")


class Awaited(list[str]):
    """Requests that the proxy has seen; tells somebody when one matches."""

    def __init__(self, matches: Callable[[str], bool], tell: Callable[[], None]) -> None:
        self._matches, self._tell = matches, tell

    def append(self, request: str, /) -> None:
        super().append(request)
        if self._matches(request):
            self._tell()


def interrupted_at(proxy: FaultyS3, part: str, words: list[str], folder: Path) -> tuple[int, str]:
    """Run a command, Ctrl-C when a matching request hangs; how it ended, and what it said."""
    with subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        proxy.seen = Awaited(
            lambda request: bool(re.search(part, request)),
            lambda: process.send_signal(signal.SIGINT),
        )
        proxy.matching, proxy.fault = part, "hang"
        _, said = process.communicate()
    proxy.seen = []
    return process.returncode, said.decode()


def test_ctrl_c_during_a_backup(shaky: Shaky, dp: Dp):
    """One worker waits for a server that hangs."""
    shaky.add_rows()
    words = command("--config", str(shaky.settings.path), "backup")
    code, said = interrupted_at(shaky.proxy, "PUT .*/objects/", words, shaky.settings.path.parent)
    assert (code, said.splitlines()[-1]) == (ExitCode.INTERRUPTED, "dp: interrupted"), said
    assert "Traceback" not in said
    heal(shaky.proxy)
    assert points_of(shaky.settings).numbers() == (1,)
    again = shaky.run(dp, "backup")
    assert (again.code, again.json["complete"]) == (0, True), again.err
    check_repository(shaky.settings, newest=1)


def test_ctrl_c_during_a_restore(shaky: Shaky, dp: Dp, home: Path):
    name = data_object_of(shaky.settings, "shop.things")
    at = ["--config", str(shaky.settings.path), *WORDS["restore"]]
    code, said = interrupted_at(shaky.proxy, f"GET .*{name}", command(*at), home)
    assert (code, said.splitlines()[-1]) == (ExitCode.INTERRUPTED, "dp: interrupted"), said
    heal(shaky.proxy)
    assert set(visible(home)) == set()
    plain = dp(*at)
    assert (plain.code, "--resume" in plain.err) == (2, True), plain.err
    again = dp(*at, "--resume")
    assert again.code == 0, again.err
    assert visible(home) == readings(shaky.settings)


@contextmanager
def full(size: int) -> Generator[None]:
    """No file may grow beyond ``size`` bytes: a full disk that needs no root."""
    with limit(RLIMIT_FSIZE, size):
        yield


@pytest.mark.parametrize("size", [10, 4000, 400_000])
def test_a_repository_that_is_full(tmp_path: Path, dp: Dp, home: Path, size: int):
    """At its first document, at the index beside the lakehouse, at a data file."""
    settings = write_settings(
        tmp_path / "lake" / "lakehouse.yaml", repository=str(tmp_path / "repository")
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    at = ("--config", str(settings.path))
    assert dp(*at, "backup").code == 0  # the index on this machine is there, too
    with opened(settings) as lake:
        lake.catalog.load_table("shop.things").append(large())
    with full(size):
        said = dp(*at, "backup", "--json")
    assert said.code == ExitCode.OPERATION_FAILED, said.out
    assert "hint: " in said.err
    assert "nobody foresaw" not in said.err, said.err
    assert points_of(settings).numbers() == (1,)
    assert dp(*at, "verify", "--full").code == 0
    again = dp(*at, "backup", "--json")
    assert (again.code, again.json["complete"]) == (0, True), again.err
    check_repository(settings)


@pytest.mark.parametrize("size", [10, 1500, 4000])
def test_a_restore_onto_a_disk_that_is_full(tmp_path: Path, dp: Dp, home: Path, size: int):
    settings = write_settings(
        tmp_path / "lake" / "lakehouse.yaml", repository=str(tmp_path / "repository")
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    assert backup(settings).record.complete
    at = ("--config", str(settings.path), "restore", "--to", "new", "--json")
    with full(size):
        said = dp(*at)
    assert said.code == ExitCode.OPERATION_FAILED, said.out
    assert "nobody foresaw" not in said.err, said.err
    assert set(visible(home)) == set()
    begun = (home / "new" / "state" / "restore.json").exists()
    again = dp(*at, *(["--resume"] if begun else []))
    assert again.code == 0, again.err
    assert set(visible(home)) == OWN


def large() -> pa.Table:
    """Rows whose file is larger than an index of a few files."""
    rows = things(1000, 21_000)
    noise = pa.array([os.urandom(16).hex() for _ in range(rows.num_rows)])
    return rows.set_column(rows.schema.get_field_index("name"), "name", noise)


@contextmanager
def locked(database: Path, how: str) -> Generator[None]:
    """Another process has the catalog's database."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.stdin.close()


def test_a_source_catalog_that_is_locked(tmp_path: Path, dp: Dp):
    """While somebody holds the database alone there is no point."""
    folder = tmp_path / "lake"
    settings = write_settings(
        folder / "lakehouse.yaml",
        repository=str(tmp_path / "repository"),
        catalog="sqlite:///catalog.db?timeout=0.1",
    )
    fill(settings)
    init_repository(settings, keys=None, now_ms=1)
    at = ("--config", str(settings.path))
    with locked(folder / "catalog.db", "BEGIN EXCLUSIVE"):
        said = dp(*at, "backup")
    assert said.code == ExitCode.OPERATION_FAILED, said.err
    assert "locked" in said.err
    assert "catalog" in said.err
    assert points_of(settings).numbers() == ()
    assert dp(*at, "backup", "--json").code == 0
    assert readings(load_settings(settings.path, env={}))
    assert all(points_of(settings).record(n).complete for n in check_repository(settings))
