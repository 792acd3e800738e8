"""Which of several PostgreSQL installations is used, and what its programs are told."""

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url

from dp_assets.adapters.metastore import postgres_tools
from dp_assets.adapters.metastore.postgres_tools import (
    PROGRAMS,
    connection_variables,
    find_tools,
    major_of,
    run,
)
from dp_assets.core.errors import ConfigurationError, TransientError


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make installations that only know their version; nothing else is found."""
    monkeypatch.setattr(postgres_tools, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))

    def make(version: str, folder: Path | None = None) -> Path:
        where = folder or tmp_path / "debian" / version / "bin"
        where.mkdir(parents=True)
        for name in PROGRAMS:
            program = where / name
            program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
            program.chmod(0o755)
        return where

    return make


def test_the_servers_own_version_comes_before_newer_ones(install):
    install("15.1")
    wanted = install("16.2")
    install("18.4")
    found = find_tools(16, doing="x")
    assert (found.folder, found.version) == (wanted, "16.2")


def test_the_next_newer_one_is_taken_where_its_own_is_missing(install):
    install("15.1")
    install("18.4")
    assert find_tools(17, doing="x").version == "18.4"


def test_the_configured_folder_and_path_come_first(install, tmp_path: Path):
    install("16.2")
    on_path = install("16.3", tmp_path / "path")
    given = install("16.1", tmp_path / "given")
    assert find_tools(16, doing="x").folder == on_path
    assert find_tools(16, bin_dir=given, doing="x").folder == given


def test_a_version_that_is_too_old_is_refused_in_words(install):
    where = install("16.2")
    with pytest.raises(ConfigurationError) as raised:
        find_tools(18, doing="a dump of this server")
    assert str(raised.value) == (
        "a dump of this server needs pg_dump, pg_restore and psql of PostgreSQL 18 or newer; the"
        f" newest found is 16.2 in {where}\nhint: install the client programs of PostgreSQL 18"
        " (Debian: postgresql-client-18), or say in which folder they are"
    )


def test_none_at_all_is_said(install):
    with pytest.raises(ConfigurationError, match="none is found"):
        find_tools(18, doing="x")


@pytest.mark.parametrize(
    ("said", "major"), [("18.4", 18), ("16.14 (Debian 16.14-1)", 16), ("17", 17), ("19beta1", 19)]
)
def test_the_major_version(said: str, major: int):
    assert major_of(said) == major


def test_everything_goes_through_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGPASSFILE", "my.pgpass")
    url = make_url("postgresql+psycopg2://u:p%40ss@db:5433/lake?sslmode=require&host=a&host=b")
    variables = connection_variables(url)
    added = {k: v for k, v in variables.items() if k.startswith("PG")}
    assert added == {
        "PGHOST": "a,b",
        "PGPORT": "5433",
        "PGUSER": "u",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "lake",
        "PGSSLMODE": "require",
        "PGPASSFILE": "my.pgpass",
        "PGCONNECT_TIMEOUT": "10",
    }
    assert variables["PATH"] == os.environ["PATH"]


def test_an_option_that_cannot_be_passed_on_is_refused():
    with pytest.raises(ConfigurationError, match="option keepalives"):
        connection_variables(make_url("postgresql://db/lake?keepalives=1"))


def test_a_program_that_hangs_is_ended(install, tmp_path: Path):
    folder = install("18.4")
    (folder / "psql").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    tools = find_tools(18, doing="x")
    url = make_url("postgresql://db/lake")
    with (
        pytest.raises(TransientError, match=r"psql did not end within 0\.1 s"),
        postgres_tools.running(tools, "psql", [], url=url, deadline_s=0.1),
    ):
        pass


def test_what_a_program_says_is_said_without_its_password(install):
    folder = install("18.4")
    (folder / "psql").write_text(
        "#!/bin/sh\necho 'psql: error: connection to postgresql://u:hunter2@db failed' >&2\nexit 2"
    )
    with pytest.raises(TransientError) as raised:
        run(find_tools(18, doing="x"), "psql", [], url=make_url("postgresql://db/lake"))
    assert "hunter2" not in str(raised.value)
