"""Case ``ui``: webserver and daemon with nothing to do."""

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.measure import MIB, BenchmarkError, Sample, environment
from benchmarks.options import Options
from benchmarks.prepared import lakehouse
from benchmarks.report import Findings, Goal

READY_SECONDS = 120
SETTLE_SECONDS = 20
STOP_SECONDS = 30
SIDE = "dp ui"


def measured(options: Options) -> Findings:
    """Memory that is theirs alone, and CPU, of every process that ``dp ui`` starts."""
    state = options.work / "ui"
    env = environment(state)
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    lakehouse(state, tables=0)
    with _served(env, options.work / "ui.log") as (server, ready_seconds):
        time.sleep(min(SETTLE_SECONDS, options.idle_seconds))
        before = _cpu_seconds(_family(server))
        started = time.monotonic()
        time.sleep(options.idle_seconds)
        watched = time.monotonic() - started
        family = _family(server)
        share = (_cpu_seconds(family) - before) / watched * 100
        private = {_name(process): _private_mib(process) for process in family}
    each = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in private.items())
    sample = Sample(seconds=ready_seconds, cpu_seconds=before, peak_mib=sum(private.values()))
    return Findings(
        "ui",
        {"watched": f"{watched:.0f} s, {len(family)} processes: {each}"},
        {SIDE: [sample]},
        [
            Goal("private memory, all processes", sample.peak_mib, 600, " MiB"),
            Goal("CPU, idle", share, 3, " % of a core"),
        ],
        ("seconds are those until the page answers; one round: it is watched, not repeated",),
    )


@contextmanager
def _served(env: dict[str, str], log: Path) -> Generator[tuple[psutil.Process, float], None, None]:
    """``dp ui`` on a free port, from the moment it answers until the block ends."""
    port = _free_port()
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dp_assets.cli.main", "ui", "--port", str(port)],
            env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_served(process, port, log)
        yield psutil.Process(process.pid), time.monotonic() - started
    finally:
        # Ctrl-C, as a person would end it; whatever is left of the family goes after it.
        family = _family(psutil.Process(process.pid)) if process.poll() is None else []
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait()


def _wait_until_served(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    said = log.read_text(errors="replace")[-2000:]
    raise BenchmarkError(f"dp ui did not answer within {READY_SECONDS} s:\n{said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    used = (process.cpu_times() for process in processes)
    return sum(times.user + times.system for times in used)


def _private_mib(process: psutil.Process) -> float:
    """Memory that would be free if the process ended (USS)."""
    return process.memory_full_info().uss / MIB


def _name(process: psutil.Process) -> str:
    words = [Path(word).name for word in process.cmdline()]
    known = ("dagster-webserver", "dagster-daemon", "grpc", "code-server", "ui")
    found = [word for word in words if word in known]
    return next(iter(found), " ".join(words[1:3]) or process.name())
