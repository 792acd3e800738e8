"""The index of a repository in one SQLite file, which is thrown away when anything is wrong."""

import secrets
import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path

from dp_assets.adapters.recovery.repository_index_errors import explained, explanation
from dp_assets.adapters.recovery.repository_index_file import open_database
from dp_assets.adapters.recovery.repository_index_rows import BATCH, batches, checksum, file_row
from dp_assets.adapters.recovery.repository_index_sql import SQL, WIPE
from dp_assets.ports.recovery import ObjectRef
from dp_assets.ports.repository_index import (
    Checked,
    FileKey,
    KnownFile,
    RepositoryIndex,
    StoredObject,
)


class SqliteRepositoryIndex(RepositoryIndex):
    """The index of one repository.

    Args:
        path: the file; None keeps everything in memory, for those who may not write here.
        repository_id: an index of another repository is thrown away.
    """

    def __init__(self, path: Path | None, *, repository_id: str) -> None:
        self._database = open_database(path, repository_id=repository_id)
        self._lock = threading.RLock()
        self._run = secrets.token_hex(8)
        # Objects stored by this run that are not in the database yet: at most BATCH.
        self._fresh: dict[str, tuple[str, int]] = {}

    def stored(self, name: str) -> tuple[str, int] | None:
        with self._lock:
            if name in self._fresh:
                return self._fresh[name]
            try:  # asked for each of many thousands of files
                row = self._database.execute(SQL.stored, (name, self._run)).fetchone()
            except sqlite3.DatabaseError as error:
                raise explanation(error) from error
        return (row[0], row[1]) if row and row[2] == checksum(name, row[0], row[1]) else None

    def added(self, name: str, stored_sha256: str, stored_size: int) -> None:
        with self._lock:
            self._fresh[name] = (stored_sha256, stored_size)
            if len(self._fresh) >= BATCH:
                self._flush()

    def unknown(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.stored(name) is None)

    def files(self, keys: Sequence[FileKey]) -> dict[FileKey, KnownFile]:
        with self._lock:
            self._flush()
        found: dict[FileKey, KnownFile] = {}
        for batch in batches(keys):
            by_table: dict[str, set[FileKey]] = {}
            for key in batch:
                by_table.setdefault(key.table_uuid, set()).add(key)
            for uuid, wanted in by_table.items():
                found.update((k, file) for k, file in self._files(uuid, wanted) if k in wanted)
        return found

    def _files(self, uuid: str, wanted: set[FileKey]) -> Iterator[tuple[FileKey, KnownFile]]:
        paths = dumps(list({key.path for key in wanted}))
        with self._reading() as database:
            rows = database.execute(SQL.files, (self._run, paths, uuid)).fetchall()
        for path, size, version, sha256, crc, name, *stored, stored_crc, pending in rows:
            whole = crc == checksum(uuid, path, size, version, name, sha256)
            if whole and stored_crc == checksum(name, *stored):
                ref = ObjectRef(name, sha256, size, *stored)
                yield FileKey(uuid, path, size, version), KnownFile(ref, pending=bool(pending))

    def add_files(self, rows: Iterable[tuple[FileKey, ObjectRef]]) -> None:
        for batch in batches(rows):
            with self._writing() as database:
                uuids = {key.table_uuid for key, _ in batch}
                database.executemany(SQL.add_table, [(uuid,) for uuid in uuids])
                database.executemany(SQL.add_file, [file_row(key, ref) for key, ref in batch])

    def points(self) -> dict[int, str]:
        with self._reading() as database:
            return dict(database.execute("SELECT number, mark FROM points").fetchall())

    def missing_lists(self, names: Iterable[str]) -> tuple[str, ...]:
        with self._reading() as database:
            return tuple(
                name
                for name in dict.fromkeys(names)
                if not database.execute("SELECT 1 FROM lists WHERE name = ?", (name,)).fetchone()
            )

    def add_list(self, name: str, objects: Iterable[StoredObject]) -> None:
        with self._writing() as database:
            self._add_list(database, name, objects)

    def add_point(
        self, number: int, *, mark: str, lists: Iterable[str], objects: Iterable[StoredObject]
    ) -> None:
        own = f"point {number}"
        with self._writing() as database:
            self._add_list(database, own, objects)
            database.execute("INSERT OR REPLACE INTO points VALUES (?, ?)", (number, mark))
            database.executemany(SQL.add_point_list, [(number, name) for name in (own, *lists)])

    def _add_list(
        self, database: sqlite3.Connection, name: str, objects: Iterable[StoredObject]
    ) -> None:
        database.execute("INSERT OR IGNORE INTO lists(name) VALUES (?)", (name,))
        for batch in batches(objects):
            database.executemany(SQL.add_object, [(*o, None, checksum(*o)) for o in batch])
            database.executemany(SQL.add_list_object, [(name, o[0]) for o in batch])

    def forget_points(self, numbers: Iterable[int]) -> None:
        with self._writing() as database:
            for table in ("points WHERE number", "point_lists WHERE point"):
                database.executemany(f"DELETE FROM {table} = ?", [(n,) for n in numbers])  # noqa: S608
            for statement in WIPE:
                database.execute(statement)

    def set_condemned(self, names: Iterable[str]) -> None:
        with self._writing() as database:
            database.execute("DELETE FROM condemned")
            database.executemany(
                "INSERT OR IGNORE INTO condemned VALUES (?)", ((name,) for name in names)
            )

    def set_checked(self, results: Mapping[str, Checked]) -> None:
        with self._writing() as database:
            database.executemany(
                "INSERT OR REPLACE INTO checked VALUES (?, ?, ?)",
                [(name, one.at_ms, one.damaged) for name, one in results.items()],
            )

    def checked(self, names: Iterable[str]) -> dict[str, Checked]:
        found: dict[str, Checked] = {}
        for batch in batches(names):
            with self._reading() as database:
                rows = database.execute(SQL.checked, (dumps(batch),))
                found.update((name, Checked(at_ms, bool(bad))) for name, at_ms, bad in rows)
        return found

    def damaged(self) -> frozenset[str]:
        with self._lock:
            self._flush()
        with self._reading() as database:
            rows = database.execute("SELECT name FROM checked WHERE damaged")
            return frozenset(row[0] for row in rows)

    def clear(self) -> None:
        with self._writing() as database:
            for table in SQL.tables:
                database.execute(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        with self._lock:
            self._flush()
            self._database.close()

    def _flush(self) -> None:
        """What this run stored, into the database."""
        if self._fresh:
            with self._writing():
                pass

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection, None, None]:
        with self._lock, explained():
            yield self._database

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection, None, None]:
        """One transaction; what this run stored goes first."""
        with self._lock, explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                rows = [(n, *s, self._run, checksum(n, *s)) for n, s in self._fresh.items()]
                self._database.executemany(SQL.add_object, rows)
                self._database.executemany(
                    "DELETE FROM checked WHERE name = ?", [(name,) for name in self._fresh]
                )
                yield self._database
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
            self._fresh.clear()
