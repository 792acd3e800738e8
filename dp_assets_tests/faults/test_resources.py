"""What a machine runs out of: a clean failure, the table as it was, and then it works."""

import errno
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dp_assets.adapters import durable_io
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets_tests.adapters.orders import (
    MONDAY,
    ORDERS,
    OTHER_RUN,
    TUESDAY,
    Lake,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    check_files,
)

HOLDER = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """Monday with two orders; a locked catalog is not waited for longer than 100 ms."""
    with Lake(tmp_path, busy_timeout_ms=100) as opened:
        opened.put(MONDAY, [1, 2])
        yield opened


@contextmanager
def limit(kind: int, at_most: int) -> Generator[None, None, None]:
    """A limit of this process, as ``ulimit`` sets it; SIGXFSZ is ignored by Python."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (at_most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@contextmanager
def locked(database: Path, statement: str) -> Generator[int, None, None]:
    """Another process holds a lock on ``database``; its pid."""
    command = [sys.executable, "-c", HOLDER, str(database), statement]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.stdin.close()


def replace(lake: Lake, failpoint: Callable[[str], None], ids: range = range(7, 9)) -> None:
    lake.writer(failpoint=failpoint).replace(
        ORDERS, orders(MONDAY, ids), partition=MONDAY, run=OTHER_RUN
    )


def at(step: str, do: Callable[[], object]) -> Callable[[str], None]:
    def failpoint(point: str) -> None:
        if point == step:
            do()

    return failpoint


def check_untouched_then_works(lake: Lake) -> None:
    """I1, I4 and I5, and nobody holds the table."""
    assert lake.ids() == {MONDAY: [1, 2]}
    assert lake.leases.held() == ()
    lake.put(MONDAY, [7], run=OTHER_RUN)
    lake.put(TUESDAY, [3], run=OTHER_RUN)
    assert lake.ids() == {MONDAY: [7], TUESDAY: [3]}


def test_a_file_that_outgrows_its_limit(lake: Lake):
    """The stand-in for a full disk that needs no root: the kernel refuses the write half-way."""
    room = lake.database.stat().st_size + 100_000
    with limit(resource.RLIMIT_FSIZE, room), pytest.raises(PermanentError) as raised:
        replace(lake, print, range(1_000_000))
    assert str(raised.value).startswith("write raw.orders: file too large")
    assert "raise the limit on file size" in raised.value.hint
    check_untouched_then_works(lake)


def test_a_full_disk_under_the_catalog_when_its_pointer_should_move(lake: Lake):
    with ExitStack() as stack:
        full = at("metadata-written", lambda: stack.enter_context(limit(resource.RLIMIT_FSIZE, 1)))
        with pytest.raises(LakeError, match=r"commit to raw\.orders: the catalog's database says"):
            replace(lake, full)
    for lease in lake.leases.held():  # it could not be given back either
        lake.leases.release(lease)
    check_untouched_then_works(lake)


def test_no_more_open_files(lake: Lake):
    writer = lake.writer()
    with (
        writer.hold(ORDERS.table),
        limit(resource.RLIMIT_NOFILE, 3),
        pytest.raises(PermanentError, match=r"raw\.orders: .*too many open files"),
    ):
        writer.replace(ORDERS, orders(MONDAY, [7]), partition=MONDAY, run=OTHER_RUN)
    check_untouched_then_works(lake)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("nth", [1, 2, 3, 4], ids=["rows", "manifest", "list", "metadata"])
def test_a_disk_that_refuses_to_sync(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, number: int, nth: int
):
    """The error comes at fsync, the latest moment; whichever file it hits, nothing moves."""
    seen: list[int] = []

    def refuse(stream: durable_io.DurableStream) -> None:
        seen.append(1)
        close(stream)
        if len(seen) == nth:
            raise OSError(number, os.strerror(number), str(stream._path))

    close = durable_io.DurableStream.close
    with monkeypatch.context() as patch:
        patch.setattr(durable_io.DurableStream, "close", refuse)
        with pytest.raises(PermanentError, match=r"(write|commit to) raw\.orders: "):
            replace(lake, print)
    assert len(seen) >= nth
    check_untouched_then_works(lake)


@pytest.mark.parametrize("statement", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
def test_a_catalog_locked_by_another_process_is_named(lake: Lake, statement: str):
    with locked(lake.database, statement) as pid, pytest.raises(TransientError) as raised:
        replace(lake, print)
    assert re.search(rf"catalog\.db is locked by .*\b{pid}\b", raised.value.what)
    check_untouched_then_works(lake)


def test_a_catalog_locked_before_the_pointer_moves_is_no_lost_race(lake: Lake):
    """It gives up with the lock's words, not after staging four times."""
    reached: list[str] = []
    with LaterLock(lake.database) as lock:

        def failpoint(step: str) -> None:
            reached.append(step)
            if step == "metadata-written":
                lock.take()

        with pytest.raises(TransientError, match=r"catalog\.db is locked by"):
            replace(lake, failpoint)
    assert reached == ["files-written", "metadata-written"]
    for lease in lake.leases.held():
        lake.leases.release(lease)
    check_untouched_then_works(lake)


class LaterLock:
    """A lock on the catalog by another connection, taken when asked for."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None)

    def take(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __enter__(self) -> "LaterLock":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def test_a_locked_catalog_is_named_when_it_is_opened(lake: Lake):
    with locked(lake.database, "BEGIN EXCLUSIVE") as pid, pytest.raises(TransientError) as raised:
        Lake(lake.folder, busy_timeout_ms=100)
    assert re.search(rf"is locked by .*\b{pid}\b", raised.value.what)


@pytest.mark.parametrize("damage", ["first-page", "all-but-the-first-page", "cut"])
def test_a_damaged_catalog_is_a_permanent_error_with_a_way_out(lake: Lake, damage: str):
    lake.close()
    good = lake.database.read_bytes()
    damaged = {
        "first-page": b"\xff" * 4096 + good[4096:],
        "all-but-the-first-page": good[:4096] + b"\xff" * (len(good) - 4096),
        "cut": good[: len(good) // 2],
    }[damage]
    lake.database.write_bytes(damaged)
    with pytest.raises(PermanentError, match="catalog") as raised, Lake(lake.folder) as broken:
        broken.put(MONDAY, [7], run=OTHER_RUN)
    assert "restore" in raised.value.hint or "doctor" in raised.value.hint
    lake.database.write_bytes(good)
    with Lake(lake.folder) as mended:
        check_untouched_then_works(mended)


@pytest.mark.parametrize("step", ["files-written", "metadata-written"])
def test_ctrl_c_in_the_middle_of_a_replacement(lake: Lake, step: str):
    with pytest.raises(KeyboardInterrupt):
        replace(lake, at(step, lambda: signal.raise_signal(signal.SIGINT)))
    check_untouched_then_works(lake)


def test_ctrl_c_while_rows_are_written(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    """The rows are written by PyIceberg's threads; the signal reaches the one that waits.

    It is pressed once: a second time would cut short the giving back of the lease, as it may.
    """
    write, pressed = durable_io.DurableStream.write, threading.Event()

    def interrupted(stream: durable_io.DurableStream, data: bytes) -> int:
        if str(stream._path).endswith(".parquet") and not pressed.is_set():
            pressed.set()
            os.kill(os.getpid(), signal.SIGINT)
        return write(stream, data)

    with monkeypatch.context() as patch:
        patch.setattr(durable_io.DurableStream, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            replace(lake, print)
    check_untouched_then_works(lake)


def test_ctrl_c_after_the_commit_keeps_it_and_repeats_nothing(lake: Lake):
    with pytest.raises(KeyboardInterrupt):
        replace(lake, at("committed", lambda: signal.raise_signal(signal.SIGINT)))
    assert lake.ids() == {MONDAY: [7, 8]}
    replace(lake, print)
    assert len(lake.table().snapshots()) == 2
    assert check_files(lake.table())
    assert lake.leases.held() == ()
