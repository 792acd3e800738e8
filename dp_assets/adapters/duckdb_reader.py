"""Reading the lakehouse with DuckDB: tables become views, at their head or as they once were."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from dp_assets.adapters.duckdb_s3 import allow_s3
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError
from dp_assets.core.ids import TableId

EXTENSIONS = ("avro", "iceberg")
REMOTE = "httpfs"


class DuckDbReader:
    """One DuckDB connection whose views are Iceberg tables; opens on ``with``.

    Args:
        pointer: the metadata file of a table, as its catalog says now.
        memory_limit: as DuckDB writes it, e.g. ``400MB``; it spills to ``temp_dir`` above.
        s3: PyIceberg's properties of the object store that holds the tables; None: local disk.
    """

    def __init__(
        self,
        pointer: Callable[[TableId], str],
        *,
        memory_limit: str,
        threads: int,
        temp_dir: Path,
        s3: Mapping[str, str] | None = None,
    ) -> None:
        self._pointer = pointer
        self._settings = {
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": str(temp_dir),
            "autoinstall_known_extensions": "false",
            # 1.5.5 mixes up deletion vectors of one Puffin file when it reads several snapshots.
            "enable_external_file_cache": "false",
        }
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._loaded = False
        self._s3 = s3

    def __enter__(self) -> Self:
        self._connection = duckdb.connect(config=dict(self._settings))
        self._connection.execute("SET TimeZone = 'UTC'")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            if error is not None and not isinstance(error, LakeError | duckdb.Error):
                # A signal leaves the query running, and closing would wait for its end.
                self._connection.interrupt()
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection."""
        if self._connection is None:
            raise AssertionError("use the reader in a with statement")
        return self._connection

    def attach(
        self, tables: Iterable[TableId], *, snapshots: dict[TableId, int] | None = None
    ) -> None:
        """Make a view ``namespace.name`` for each table; ``snapshots`` reads older states.

        Raises:
            PermanentError: no such table, or its metadata cannot be read.
        """
        self._load_extensions()
        for table in tables:
            source = self.scan(table, snapshot_id=(snapshots or {}).get(table))
            self._view(table, f"SELECT * FROM {source}")

    def overlay(self, table: TableId, rows: pa.Table, *, committed: bool) -> None:
        """Make the view of ``table`` show ``rows`` too: some that wait for their commit.

        Where ``committed`` is false the table does not exist yet: the view is ``rows`` alone.
        """
        name = f"waiting {table}"
        self.connection.register(name, rows)
        waiting = f'SELECT * FROM "{_quoted(name)}"'
        self._view(
            table,
            f"SELECT * FROM {self.scan(table)} UNION ALL BY NAME {waiting}"
            if committed
            else waiting,
        )

    def scan(self, table: TableId, *, snapshot_id: int | None = None) -> str:
        """The table function that reads ``table``, as SQL text."""
        self._load_extensions()
        location = self._pointer(table).replace("'", "''")
        at = f", snapshot_from_id={snapshot_id}" if snapshot_id is not None else ""
        return f"iceberg_scan('{location}'{at})"

    def rows(self, sql: str, *, about: TableId) -> pa.Table:
        """Run ``sql`` and return Arrow; errors name ``about``."""
        with _read_errors(about):
            return self.connection.sql(sql).to_arrow_table()

    def _view(self, table: TableId, query: str) -> None:
        schema = f'"{_quoted(table.namespace)}"'
        with _read_errors(table):
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self.connection.execute(
                f'CREATE OR REPLACE VIEW {schema}."{_quoted(table.name)}" AS {query}'
            )

    def _load_extensions(self) -> None:
        if self._loaded:
            return
        names = EXTENSIONS if self._s3 is None else (REMOTE, *EXTENSIONS)
        for name in names:
            self.connection.execute(f"LOAD '{extension_file(name)}'")
        if self._s3 is not None:
            allow_s3(self.connection, self._s3)
        self._loaded = True


def extension_file(name: str) -> Path:
    """The signed extension inside its Python package; DuckDB checks the signature at LOAD.

    Raises:
        ConfigurationError: the package is not installed.
    """
    found = find_spec(f"duckdb_extension_{name}")
    if found is None or found.origin is None:
        raise ConfigurationError(
            f"DuckDB's {name} extension is not installed",
            hint=f"pip install duckdb-extension-{name}=={duckdb.__version__}",
        )
    return next(Path(found.origin).parent.rglob(f"{name}.duckdb_extension"))


@contextmanager
def _read_errors(table: TableId) -> Generator[None, None, None]:
    """DuckDB's errors about one table, as ours."""
    try:
        yield
    except duckdb.HTTPException as error:
        raise TransientError(f"read {table}: {error}", hint="is the object store up?") from error
    except duckdb.Error as error:
        raise PermanentError(
            f"read {table}: {error}", hint="'dp doctor' says what is wrong with the table"
        ) from error


def _quoted(name: str) -> str:
    return name.replace('"', '""')
