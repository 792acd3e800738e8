"""What `lakehouse.yaml` and the environment become."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from dp_assets.core.errors import ConfigurationError
from dp_assets.project_files import project_file
from dp_assets.settings import Settings, load_settings


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lakehouse.yaml"


@pytest.fixture
def load(file):
    def load_text(text, **env):
        file.write_text(text)
        return load_settings(file, env=env)

    return load_text


def test_an_empty_file_is_the_embedded_lakehouse_beside_it(load, file, tmp_path):
    settings = load("")
    state = tmp_path / ".lakehouse"
    assert settings.path == file
    assert settings.state_dir == state
    assert settings.catalog.uri == f"sqlite:///{state}/catalog.db"
    assert settings.warehouse.root == f"file://{state}/warehouse"
    assert settings.dagster_home == state / "dagster"
    assert settings.spool_dir == state / "spool"
    assert settings.inventory_file == state / "inventory.json"
    assert (settings.reports_dir, settings.cache_dir) == (state / "reports", state / "cache")
    assert settings.tmp_dir == state / "tmp"
    assert not state.exists()


def test_the_shipped_file_says_what_the_defaults_are(load):
    shipped = project_file("lakehouse.yaml").read_text()
    assert load(shipped).model_dump() == load("").model_dump()


def test_the_examples_in_the_shipped_file_are_valid(load, tmp_path):
    (tmp_path / "s3").write_text("hunter2")
    (tmp_path / "naming-key").write_text("ab" * 32)
    lines = project_file("lakehouse.yaml").read_text().replace("/run/secrets", str(tmp_path))
    kept = [line for line in lines.splitlines() if "sqlite" not in line]
    text = "\n".join(re.sub("^  # ", "  ", line) for line in kept)
    settings = load(text, LAKE_PASSWORD="pw")  # noqa: S106 - of no database
    assert settings.catalog.uri == "postgresql+psycopg2://lake:pw@db.example.org/lake"
    assert settings.catalog.plain_properties()["s3.secret-access-key"] == "hunter2"
    assert settings.repository.recipients == ("age1...",)
    assert settings.backup.exclude == ("scratch.*",)
    assert "abab" not in repr(settings)


def test_settings_are_frozen(load):
    with pytest.raises(ValidationError):
        load("").environment = "other"


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("environment: no", lambda s: s.environment, "no"),
        ("ui: {port: '${PORT}'}", lambda s: s.ui.port, 8080),
        ("schedules: {enabled: on}", lambda s: s.schedules.enabled, True),
        ("catalog:", lambda s: s.catalog.type, "sql"),
        ("catalog: {type: glue}", lambda s: s.catalog.uri, ""),
        (
            "benchmarks: {expected_seconds: {join: 30}}",
            lambda s: (s.benchmarks.expected_seconds["join"], len(s.benchmarks.expected_seconds)),
            (30, 5),
        ),
        (
            "contracts: {tolerances: {curated.flights.tailnum: 0.02}}",
            lambda s: s.contracts.tolerances,
            {"curated.flights.tailnum": 0.02},
        ),
    ],
)
def test_values_have_the_type_of_their_key(load, text, read, value):
    assert read(load(text, PORT="8080")) == value


@pytest.mark.parametrize(
    ("root", "becomes"),
    [
        ("wh", "file://{here}/wh"),
        ("../wh/", "file://{above}/wh"),
        ("/data/my wh", "file:///data/my wh"),
        ("file:/data/wh", "file:///data/wh"),
        ("file:///data/wh/", "file:///data/wh"),
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
    ],
)
def test_a_warehouse_root_becomes_a_uri(load, tmp_path, root, becomes):
    expected = becomes.format(here=tmp_path, above=tmp_path.parent)
    assert load(f"warehouse: {{root: {root}}}").warehouse.root == expected


def test_relative_paths_start_at_the_folder_of_the_file(load, tmp_path):
    settings = load("state: st\ncatalog: {uri: sqlite:///c.db}\npipeline: {source: data}\n")
    assert settings.state_dir == tmp_path / "st"
    assert settings.catalog.uri == f"sqlite:///{tmp_path}/c.db"
    assert settings.pipeline.source == str(tmp_path / "data")
    assert settings.warehouse.root == f"file://{tmp_path}/st/warehouse"


def test_dp_state_overrides_and_is_relative_to_the_current_folder(load, tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    settings = load("state: st\n", DP_STATE="mine")
    assert settings.state_dir == tmp_path / "cwd" / "mine"
    assert settings.catalog.uri == f"sqlite:///{tmp_path}/cwd/mine/catalog.db"
    assert settings.origin(("state",)) == "DP_STATE"


def test_dp_days_counts_from_the_first_day(load):
    settings = load("pipeline: {demo_first_day: 2013-02-01}", DP_DAYS="3")
    assert settings.pipeline.demo_last_day == date(2013, 2, 3)
    assert load("", DP_DAYS="365").pipeline.demo_last_day == date(2013, 12, 31)


def test_which_file_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = load_settings(env={})
    assert shipped.path == project_file("lakehouse.yaml")
    assert shipped.state_dir == tmp_path / ".lakehouse"
    for name in ("lakehouse.yaml", "named.yaml", "given.yaml"):
        (tmp_path / name).write_text(f"environment: {name}\n")
    assert load_settings(env={}).environment == "lakehouse.yaml"
    assert load_settings(env={"DP_CONFIG": "named.yaml"}).environment == "named.yaml"
    given = load_settings(Path("given.yaml"), env={"DP_CONFIG": "named.yaml"})
    assert given.environment == "given.yaml"
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env={"DP_CONFIG": "none.yaml"})
    assert caught.value.what == f"{tmp_path}/none.yaml: No such file or directory"


def test_origins_name_line_variable_and_secret_file(load, tmp_path):
    (tmp_path / "s").write_text("x")
    settings = load("ui:\n  port: ${P}\ncatalog:\n  properties:\n    a: file:s\n", P="1")
    assert settings.origin(("ui", "port")) == "line 2, ${P}"
    assert settings.origin(("catalog", "properties", "a")) == "line 5, file:s"
    assert settings.origin(("environment",)) == "default"


def test_settings_come_from_the_loader_only():
    with pytest.raises(TypeError, match="load_settings"):
        Settings.model_validate({})


def test_loading_imports_no_engine():
    program = "import sys; from dp_assets.settings import load_settings; load_settings(env={})\n"
    program += "print(*{name.partition('.')[0] for name in sys.modules})"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    heavy = {"dagster", "pyiceberg", "duckdb", "pyarrow", "pandera", "polars", "typer", "rich"}
    assert heavy.isdisjoint(done.stdout.split())
