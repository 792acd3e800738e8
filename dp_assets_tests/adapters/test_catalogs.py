"""Opening a catalog: patience with SQLite, and words for what a person meets there."""

import sys
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.catalogs import address, open_catalog, sqlite_file
from dp_assets.adapters.durable_io import DurableFileIO
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError
from dp_assets_tests.adapters.orders import MONDAY, Lake


def open_sql(uri: str) -> SqlCatalog:
    opened = open_catalog("lake", kind="sql", uri=uri, warehouse="file:///w", properties={})
    assert isinstance(opened, SqlCatalog)
    return opened


def test_files_are_written_durably(lake: Lake):
    lake.put(MONDAY, [1])
    assert isinstance(lake.table().io, DurableFileIO)


@pytest.mark.parametrize(("query", "timeout"), [("", "30"), ("?timeout=7", "7")])
def test_a_lock_is_waited_for_half_a_minute_unless_told_otherwise(
    tmp_path: Path, query: str, timeout: str
):
    catalog = open_sql(f"sqlite:///{tmp_path}/catalog.db{query}")
    assert catalog.engine.url.query["timeout"] == timeout
    catalog.close()


@pytest.mark.parametrize(
    ("uri", "error", "words"),
    [
        ("nonsense", ConfigurationError, "cannot be opened"),
        ("sqlite:////no/such/folder/catalog.db", PermanentError, "unable to open database file"),
        ("postgresql+psycopg2://u:secret@h/lake", ConfigurationError, "not installed: .*psycopg2"),
        ("postgresql+nodriver://u:secret@h/lake", ConfigurationError, "cannot be opened"),
    ],
    ids=["no-address", "no-folder", "driver-missing", "driver-unknown"],
)
def test_says_why_a_catalog_does_not_open(
    monkeypatch: pytest.MonkeyPatch, uri: str, error: type[LakeError], words: str
):
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(error, match=words) as raised:
        open_sql(uri)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_database_is_permanent(tmp_path: Path):
    (tmp_path / "catalog.db").write_text("notes\n" * 1000)
    with pytest.raises(PermanentError, match="file is not a database") as raised:
        open_sql(f"sqlite:///{tmp_path}/catalog.db")
    assert not isinstance(raised.value, TransientError)
    assert "restore" in raised.value.hint


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (
            "postgresql://user:pw@db.example.org:5432/lake?sslmode=x",
            "postgresql://db.example.org:5432/lake",
        ),
        ("https://catalog.example.org/v1", "https://catalog.example.org/v1"),
        ("sqlite:////srv/lake/catalog.db?timeout=3", "sqlite:////srv/lake/catalog.db"),
        (
            "postgresql+psycopg2:///lake?host=/run/one&port=5433&password=pw",
            "postgresql+psycopg2:///run/one:5433/lake",
        ),
    ],
)
def test_an_address_shows_no_user_password_or_option(uri: str, shown: str):
    assert address(uri) == shown


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:////srv/catalog.db?timeout=3", Path("/srv/catalog.db")),
        ("sqlite:///:memory:", None),
        ("postgresql://h/lake", None),
    ],
)
def test_finds_the_file_behind_sqlite(uri: str, file: Path | None):
    assert sqlite_file(uri) == file
