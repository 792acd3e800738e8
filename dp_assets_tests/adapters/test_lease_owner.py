import os
import subprocess
import sys

import pytest

from dp_assets.adapters import lease_owner
from dp_assets.adapters.lease_owner import is_gone, owner_text


def owner_of_a_dead_process() -> str:
    code = "from dp_assets.adapters.lease_owner import owner_text; print(owner_text('r1'), end='')"
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_names_host_pid_and_run():
    assert owner_text("run-7").startswith(f"{os.uname().nodename} pid {os.getpid()} run run-7 [")


def test_this_process_lives_and_an_ended_one_is_gone():
    assert not is_gone(owner_text("run-7"))
    assert is_gone(owner_of_a_dead_process())


def test_a_pid_that_was_given_again_is_gone():
    head, _, _ = owner_text("run-7").rpartition(" ")
    assert is_gone(f"{head} 12]")


def test_a_zombie_is_gone():
    code = "import os; from dp_assets.adapters.lease_owner import owner_text; print(owner_text(''))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    owner = process.stdout.readline().strip()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(owner)
    process.communicate()


def test_init_of_another_user_lives():
    """Signals to it may be denied; its start time is read all the same."""
    started = lease_owner._started(1)
    assert not is_gone(f"h pid 1 run r [{lease_owner._system()} {started}]")


@pytest.mark.parametrize("owner", ["somebody", "h pid 999999999 run r [elsewhere 12]", ""])
def test_in_doubt_nobody_is_gone(owner: str):
    assert not is_gone(owner)


def test_a_system_that_tells_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease_owner, "_started", lambda _: None)
    assert owner_text("r").endswith("[unknown 0]")
    assert not is_gone("h pid 999999999 run r [unknown 0]")
