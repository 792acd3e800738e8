"""A lakehouse that the real pipeline made from a few flights, and `dp ui` serving it."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.orchestration.planning import RECOVERY_JOBS
from dp_assets.orchestration.running import run_job, run_operations
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.adapters import flight_files as files

ROOT = Path(__file__).parents[2]
DAYS = ("2013-01-01", "2013-01-02")
MAINTAINED = TableId("raw", "flights")
SECOND_DAY = (
    "2013,1,2,542,540,2,923,850,33,UA,1141,N14228,EWR,IAH,160,1400,5,40,2013-01-02T10:00:00Z"
)
RALEIGH = "RDU,Raleigh-Durham,35.877639,-78.787472,435,-5,A,America/New_York"
WEATHER = (
    files.WEATHER,
    files.FREEZING,
    files.FREEZING.replace("2013,1,1", "2013,1,2").replace("2013-01-01", "2013-01-02"),
)
ANSWERS_WITHIN_S = 90
ENDS_WITHIN_S = 30


@dataclass(frozen=True)
class Served:
    """A `dp ui` that answers; ``process`` is its own, the parent of Dagster's."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where the pages start."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str) -> dict[str, Any]:
        """The data that Dagster's GraphQL answers with."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/graphql", json.dumps({"query": query}), headers)
            body = json.load(connection.getresponse())
        assert "errors" not in body, body["errors"]
        return body["data"]


def quietly(_steps: int, _what: str) -> AbstractContextManager[Callable[[int], None]]:
    """Nobody watches."""
    return nullcontext(lambda _done: None)


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory) -> Iterator[Settings]:
    """Two days in every layer, the report, and the inventory of what is there."""
    folder = tmp_path_factory.mktemp("lakehouse")
    files.write_source(
        folder / "source",
        flights=(files.FLIGHTS, files.UNITED, files.CANCELLED, SECOND_DAY),
        weather=WEATHER,
        # The last of the shared airports has no time zone: more than the contract tolerates.
        airports=(files.AIRPORTS, *files.AIRPORT_ROWS[:-1], RALEIGH),
    )
    config = folder / "lakehouse.yaml"
    config.write_text("pipeline:\n  source: source\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_CONFIG", str(config))
        patch.delenv("DP_STATE", raising=False)
        patch.setenv("DAGSTER_HOME", "")  # set by what runs here; the patch takes it back
        settings = load_settings()
        initialise(settings)
        init_repository(settings, keys=None, now_ms=now_ms())
        finished = [
            run
            for job in ("pipeline", *RECOVERY_JOBS)
            if job != "replica"
            for run in run_job(
                settings, job=job, days="..".join(DAYS) if job == "pipeline" else "", show=quietly
            )
        ]
        work = [(MAINTAINED, operation) for operation in Operation]
        finished += run_operations(settings, work, show=quietly)
        assert [str(run.planned) for run in finished if not run.success] == []
        yield settings


@pytest.fixture(scope="module")
def served(lakehouse) -> Iterator[Served]:
    """The lakehouse's pages on a free port of loopback; Ctrl-C must end all of its processes."""
    log = lakehouse.state_dir / "ui.log"
    port = _free_port()
    command = [sys.executable, "-m", "dp_assets.cli.main", "ui", "--port", str(port)]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        ui = Served(port, process)
        try:
            _wait_until_it_answers(ui, log)
            yield ui
        finally:
            stayed = _interrupt(process)
    assert (process.returncode, stayed) == (0, []), log.read_text()


def _interrupt(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Ctrl-C, and a while; those that stayed are killed and returned."""
    if process.poll() is not None:
        return []
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _ended_within(process, ENDS_WITHIN_S)
    _gone, stayed = psutil.wait_procs(family, timeout=ENDS_WITHIN_S)
    for child in stayed:
        child.kill()
    if process.poll() is None:
        process.kill()
    return stayed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(ui: Served, log: Path) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            ui.ask("{ version }")
        except ConnectionError:
            if _ended_within(ui.process, 0.2):
                pytest.fail(f"dp ui ended with {ui.process.returncode}:\n{log.read_text()}")
        else:
            return
    pytest.fail(f"dp ui does not answer within {ANSWERS_WITHIN_S} s:\n{log.read_text()}")


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
