"""What a table is to everybody who asks: read by both engines, again after each fault."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets_tests.adapters.table_checks import check_files, path_of
from dp_assets_tests.faults.maintained_table import AFTER_DAYS
from dp_assets_tests.faults.model_process import NAME, maintained
from dp_assets_tests.usecases.backup.readings import by_pyiceberg, fingerprint

Read = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A table: what each engine reads by name of a state, snapshots, unnamed files, leases."""

    read: Read
    snapshots: int
    unnamed: int
    leases: int


@dataclass
class Looker:
    """Looks at the table of one lakehouse, as often as it is asked."""

    lake: Lakehouse
    reader: DuckDbReader
    _read: dict[str, Read] = field(default_factory=dict[str, Read])

    def look(self) -> Seen:
        """What both engines read; no file that is named is missing.

        At a pointer that was read before, the files are looked at and their rows are not.
        """
        pointer = existing_pointer(self.lake.catalog, NAME)
        table = self.lake.catalog.load_table(NAME.identifier)
        named = check_files(table)
        files = {path for path in path_of(table.location()).rglob("*") if path.is_file()}
        if pointer not in self._read:
            at = {"current": None, "ref kept": table.refs()["kept"].snapshot_id}
            by_duckdb = {name: self._by_duckdb(one) for name, one in at.items()}
            self._read[pointer] = [by_pyiceberg(pointer), by_duckdb]
        leases = len(self.lake.leases.held())
        return Seen(self._read[pointer], len(table.snapshots()), len(files - named), leases)

    def _by_duckdb(self, snapshot_id: int | None) -> str:
        source = self.reader.scan(NAME, snapshot_id=snapshot_id)
        return fingerprint(self.reader.rows(f"FROM {source}", about=NAME))


@contextmanager
def looking_at(settings: Settings) -> Generator[Looker, None, None]:
    with opened(settings) as lake, lake.reader() as reader:
        yield Looker(lake, reader)


def run(lake: Lakehouse, operation: Operation) -> str:
    """The operation as `dp maintain` does it, when everything is old."""
    return maintained(lake, operation, at_ms=now_ms() + AFTER_DAYS * DAY_MS)["did"]


def compared(seen: Seen, before: Seen) -> Seen:
    """Everything that can still be asked for has the answer that it had."""
    for now, was in zip(seen.read, before.read, strict=True):
        assert now["current"] == was["current"]
        assert {name: was[name] for name in now if name in was}.items() <= now.items()
    return seen
