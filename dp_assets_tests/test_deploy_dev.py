"""The development services: they answer on loopback only, and exactly they are ended."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from deploy.dev import postgres, seaweed
from deploy.dev.__main__ import main
from deploy.dev.processes import Process, start, stop
from deploy.dev.state import FILE, Service, load, save
from dp_assets_tests.services import S3, Postgres, short_folder


@pytest.fixture
def sleeper(tmp_path: Path):
    """A process that waits for ever."""
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    process = start(command, log=tmp_path / "log", environment={}, with_parent=True)
    yield process
    stop(process)


def test_stopping_ends_that_process_once(sleeper: Process):
    assert sleeper.is_alive
    assert stop(sleeper)
    assert not sleeper.is_alive
    assert not stop(sleeper)


def test_a_process_that_was_given_the_same_number_is_left_alone(sleeper: Process, tmp_path: Path):
    former = replace(sleeper, started=sleeper.started - 1)
    save(Service("seaweed", former, "http://127.0.0.1:1"), tmp_path)
    assert main(["stop", "--root", str(tmp_path)]) == 0
    assert sleeper.is_alive
    assert load(tmp_path) is None


def test_a_service_ends_with_the_process_that_wanted_it(tmp_path: Path):
    """However that ends: here by SIGKILL, once the service runs (before, nothing is tied yet)."""
    os.mkfifo(tmp_path / "runs")
    service = "import signal, sys; open(sys.argv[1], 'w').close(); signal.pause()"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from deploy.dev.processes import start\n"
        f"p = start([sys.executable, '-c', {service!r}, {str(tmp_path / 'runs')!r}],"
        " log=Path(sys.argv[1]), environment={}, with_parent=True)\n"
        f"open({str(tmp_path / 'runs')!r}).read()\n"
        "print(p.pid, p.started, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log")], capture_output=True, text=True
    )
    child = Process(*map(int, done.stdout.split()))
    psutil.wait_procs([psutil.Process(child.pid)] if child.is_alive else [], timeout=20)
    assert not child.is_alive


@pytest.mark.parametrize("kind", ["seaweed", "postgres"])
def test_the_command_starts_once_and_stops(kind: str, capsys):
    installed = seaweed.program() if kind == "seaweed" else postgres.bin_dir()
    if installed is None:
        pytest.skip(f"{kind} is not installed")
    with short_folder() as root:
        assert main(["start", kind, "--root", str(root)]) == 0
        service = load(root)
        assert service is not None
        try:
            assert service.process.is_alive
            assert stat.S_IMODE((root / FILE).stat().st_mode) == 0o600
            assert main(["start", kind, "--root", str(root)]) == 1
            assert "as process" in capsys.readouterr().err
        finally:
            assert main(["stop", "--root", str(root)]) == 0
        assert not service.process.is_alive
        assert main(["stop", "--root", str(root)]) == 0
        assert "nothing was running" in capsys.readouterr().out


def test_the_s3_server_listens_on_loopback_only(s3: S3):
    process = psutil.Process(s3.service.process.pid)
    heard = {c.laddr.ip for c in process.net_connections("inet") if c.status == "LISTEN"}
    assert heard == {"127.0.0.1"}
    assert "-master.telemetry=false" in process.cmdline()


def test_the_database_has_no_port_and_asks_for_the_password(postgres: Postgres):
    process = psutil.Process(postgres.service.process.pid)
    assert [c for c in process.net_connections("inet") if c.status == "LISTEN"] == []
    engine = create_engine(postgres.url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW server_version")).scalar().startswith("18.")
        hba = connection.execute(text("SELECT DISTINCT auth_method FROM pg_hba_file_rules"))
        assert hba.scalars().all() == ["scram-sha-256"]
        assert (
            connection.execute(
                text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            ).scalar()
            == 0
        )
    engine.dispose()
    version = subprocess.run(
        [postgres.bin_dir / "pg_dump", "--version"], capture_output=True, text=True, check=True
    )
    assert " 18." in version.stdout
    assert os.access(postgres.bin_dir / "pg_restore", os.X_OK)
