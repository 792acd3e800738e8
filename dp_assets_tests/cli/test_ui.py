"""What `dp ui` refuses before Dagster starts; that it serves is in e2e/test_ui.py."""

import socket

import pytest

from dp_assets.cli import main as frame
from dp_assets.cli import ui_processes


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """A lakehouse of this test, and a Dagster that must not start."""
    path = tmp_path / "lakehouse.yaml"
    path.write_text("environment: test\n", encoding="utf-8")
    monkeypatch.setenv("DP_CONFIG", str(path))
    monkeypatch.delenv("DP_STATE", raising=False)
    monkeypatch.delenv("DP_DEBUG", raising=False)

    def started(**asked):
        pytest.fail(f"started {asked}")

    monkeypatch.setattr(ui_processes, "serve", started)
    return path


@pytest.fixture
def initialised(config):
    home = config.parent / ".lakehouse" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").touch()
    return config


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_before_init_it_says_what_makes_a_home(config, capfd):
    assert frame.main(["ui"]) == 2
    said = capfd.readouterr().err
    assert f"dp: there is no Dagster home at {config.parent / '.lakehouse' / 'dagster'}" in said
    assert "hint: 'dp init' makes it" in said


def test_a_taken_port_is_named(initialised, taken, capfd):
    assert frame.main(["ui", "--port", str(taken)]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"dp: port {taken} on 127.0.0.1 is in use\nhint: ")


def test_the_port_of_the_settings_is_asked_for_too(initialised, taken, capfd):
    initialised.write_text(f"ui:\n  port: {taken}\n", encoding="utf-8")
    assert frame.main(["ui"]) == 2
    assert f"port {taken} on 127.0.0.1 is in use" in capfd.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port_is_refused(initialised, port, capfd):
    assert frame.main(["ui", "--port", port]) == 2
    assert "hint: 'dp ui --help'" in capfd.readouterr().err
