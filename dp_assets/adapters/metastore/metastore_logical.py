"""Dumps of any PyIceberg catalog: our own export, ``catalog.json`` alone."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.view.metadata import ViewMetadata

from dp_assets.adapters.metastore.catalog_fill import LOCATION, fill_catalog, without_minimum
from dp_assets.adapters.metastore.catalog_reading import ATTEMPTS, read_catalog, read_until_agreed
from dp_assets.adapters.metastore.catalog_state import differences
from dp_assets.adapters.metastore.dump_folder import (
    finish,
    prepare,
    read_record,
    read_state,
    write_state,
)
from dp_assets.adapters.metastore.dump_loading import Loaded, examined
from dp_assets.ports.metastore import (
    REPEATED,
    CatalogState,
    DumpCheck,
    Dumped,
    Metastore,
    MetastoreKind,
    Progress,
    no_progress,
)


class LogicalMetastore(Metastore):
    """A catalog that is asked, not copied.

    Args:
        address: where it is, without credentials.
        now_ms: this machine's clock.
        attempts: readings until the rest of the differences is recorded as skew.
    """

    kind = MetastoreKind.LOGICAL

    def __init__(
        self,
        catalog: Catalog,
        *,
        address: str,
        now_ms: Callable[[], int],
        attempts: int = ATTEMPTS,
    ) -> None:
        self._catalog = catalog
        self._address = address
        self._now_ms = now_ms
        self._attempts = attempts

    def dump(self, into: Path, *, on_progress: Progress = no_progress) -> Dumped:
        prepare(into)
        reading = read_until_agreed(
            lambda: read_catalog(self._catalog),
            now_ms=self._now_ms,
            attempts=self._attempts,
            on_progress=on_progress,
        )
        write_state(into, self._catalog.name, reading.state)
        return finish(
            into,
            Dumped(
                kind=self.kind,
                catalog=self._catalog.name,
                address=self._address,
                server_version="",
                taken_at_ms=reading.at_ms,
                state=reading.state,
                cut=REPEATED,
                skew_ms=reading.skew_ms,
                skewed=reading.skewed,
            ),
        )

    def check(self, folder: Path) -> DumpCheck:
        return check_logical(folder, now_ms=self._now_ms())


def check_logical(folder: Path, *, now_ms: int) -> DumpCheck:
    """Fill a scratch SQL catalog from the dump and compare; needs nothing but the folder."""
    return examined(folder, lambda: _load(folder), scratch="scratch SQL catalog", now_ms=now_ms)


def _load(folder: Path) -> Loaded:
    expected, name = read_state(folder), read_record(folder).catalog
    with tempfile.TemporaryDirectory(prefix="dp-dump-") as scratch:
        catalog = SqlCatalog(name, uri=f"sqlite:///{scratch}/catalog.db")
        with closing(catalog):
            fill_catalog(catalog, expected)
            found = read_catalog(catalog)
    wrong = differences(without_minimum(_in_sql(expected)), without_minimum(found))
    problems = (*wrong, *_unloaded(expected), *_bad_views(expected))
    return Loaded(problems, pointers=len(found.pointers))


def _in_sql(state: CatalogState) -> CatalogState:
    """What a SQL catalog can hold of it."""
    return replace(state, views={n: view for n, view in state.views.items() if LOCATION in view})


def _unloaded(state: CatalogState) -> tuple[str, ...]:
    return tuple(
        f"table {table}: the catalog could not load it, so its pointer is not in the dump"
        for table, pointer in state.pointers.items()
        if not pointer
    )


def _bad_views(state: CatalogState) -> tuple[str, ...]:
    """Views that no scratch catalog here can hold are at least read."""
    bad: list[str] = []
    for name, view in state.views.items():
        try:
            if LOCATION not in view:
                ViewMetadata.model_validate(dict(view))
        except ValidationError as error:
            bad.append(f"view {name}: not Iceberg's JSON of a view ({error.error_count()} errors)")
    return tuple(bad)
