"""How `dp ui` starts and ends processes, with stand-ins; Dagster's own are in e2e/test_ui.py."""

import os
import signal
import socket
import sys

import psutil
import pytest

from dp_assets.cli import ui_processes
from dp_assets.core.errors import PermanentError
from dp_assets.project_files import project_file

HEAD = f"#!{sys.executable} -SE\nimport os, signal, socket, subprocess, sys, time\n"
NOTE = "open(sys.argv[0] + '.pids', 'a').write(f'{os.getpid()}\\n')\n"
# Its own child hears no interrupt, as a run may not that is deep in a library.
CODE_SERVER = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"])
open(sys.argv[0] + ".pids", "a").write(f"{child.pid}\\n")
signal.signal(signal.SIGINT, signal.SIG_DFL)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[sys.argv.index("--socket") + 1])
listener.listen()
time.sleep(600)
"""
WEBSERVER = """
listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
time.sleep(600)
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Stand-ins beside the interpreter; each notes its process id."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    def install(**commands):
        for name, body in commands.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(HEAD + NOTE + body, encoding="utf-8")
            path.chmod(0o755)

    install(dagster=CODE_SERVER, dagster_webserver=WEBSERVER, dagster_daemon="time.sleep(600)\n")
    return install


@pytest.fixture
def started(tmp_path):
    """The ids of all processes that ran."""
    return lambda: [int(pid) for file in tmp_path.glob("*.pids") for pid in file.open()]


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(port, ready=lambda: None):
    ui_processes.serve(host="127.0.0.1", port=port, environment=dict(os.environ), ready=ready)


def alive(pids):
    """What is left of these; a process that was just killed takes a moment to go."""
    left = [psutil.Process(pid) for pid in pids if _is_alive(pid)]
    psutil.wait_procs(left, timeout=10)
    return [process.pid for process in left if _is_alive(process.pid)]


def _is_alive(pid):
    gone_or_ending = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    try:
        return psutil.Process(pid).status() not in gone_or_ending
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process_and_what_they_started(installed, started, port, number):
    seen = []

    def ready():
        with socket.create_connection(("127.0.0.1", port)):
            seen.extend(started())
        os.kill(os.getpid(), number)

    serve(port, ready)
    assert len(seen) >= 3  # the daemon may note itself later
    assert alive(started()) == []


@pytest.mark.parametrize("name", ["dagster", "dagster_webserver", "dagster_daemon"])
def test_a_process_that_dies_is_named_and_ends_the_others(installed, started, port, name):
    installed(**{name: "sys.exit(7)\n"})
    with pytest.raises(PermanentError, match=rf"{name.replace('_', '-')}.* ended with exit code 7"):
        serve(port)
    assert alive(started()) == []


def test_the_location_is_the_one_of_the_workspace_file():
    assert f"module_name: {ui_processes.LOCATION}\n" in project_file("workspace.yaml").read_text()
