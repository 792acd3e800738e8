"""What any PyIceberg catalog holds, read call by call until two readings agree."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchViewError

from dp_assets.adapters.catalog_errors import database_errors
from dp_assets.adapters.metastore.catalog_state import read_sql_state
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.pyiceberg_inventory import HINT, list_pointers
from dp_assets.core.ids import TableId
from dp_assets.ports.metastore import CatalogState, Progress, no_progress

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """A state of the catalog.

    Attributes:
        skew_ms: 0 when two readings agreed: every pointer was true between the two. Else the time
            from the start of the last but one to the end of the last.
        skewed: the tables in which the last two differ.
    """

    state: CatalogState
    at_ms: int
    skew_ms: int = 0
    skewed: tuple[TableId, ...] = ()


def read_until_agreed(
    read: Callable[[], CatalogState],
    *,
    now_ms: Callable[[], int],
    attempts: int = ATTEMPTS,
    on_progress: Progress = no_progress,
) -> Reading:
    """Read at least twice and at most ``attempts`` times; says what still moved at the end."""
    started_ms, before, done = now_ms(), read(), 1
    while True:
        on_progress(done, attempts)
        again_ms, state, done = now_ms(), read(), done + 1
        if state == before:
            return Reading(state, at_ms=again_ms)
        if done >= attempts:
            skew_ms = now_ms() - started_ms
            return Reading(state, again_ms, skew_ms=skew_ms, skewed=_moved(before, state))
        started_ms, before = again_ms, state


def read_catalog(catalog: Catalog) -> CatalogState:
    """Tables, namespaces and views as the catalog lists them now.

    A table that cannot be loaded has an empty pointer. Raises as :func:`list_pointers`.
    """
    if isinstance(catalog, SqlCatalog):
        doing = f"read catalog {catalog.name}"
        with database_errors(catalog, doing), catalog.engine.connect() as connection:
            return read_sql_state(connection, catalog.name)
    pointers = list_pointers(catalog)
    with verdicts(f"read catalog {catalog.name}", hint=HINT):
        namespaces = dict(_namespaces(catalog, ()))
        views = {
            name: view for namespace in namespaces for name, view in _views(catalog, namespace)
        }
    return CatalogState(pointers, namespaces, views)


def _moved(before: CatalogState, after: CatalogState) -> tuple[TableId, ...]:
    tables = before.pointers.keys() | after.pointers.keys()
    return tuple(sorted(t for t in tables if before.pointers.get(t) != after.pointers.get(t)))


def _namespaces(
    catalog: Catalog, parent: tuple[str, ...]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for namespace in catalog.list_namespaces(parent):
        try:
            yield ".".join(namespace), dict(catalog.load_namespace_properties(namespace))
        except NoSuchNamespaceError:
            continue  # dropped since it was listed
        yield from _namespaces(catalog, namespace)


def _views(catalog: Catalog, namespace: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        listed = catalog.list_views(tuple(namespace.split(".")))
    except (NotImplementedError, NoSuchNamespaceError):
        return  # a catalog without views
    for identifier in listed:
        try:
            view = catalog.load_view(identifier)
        except NoSuchViewError:
            continue
        yield ".".join(identifier), json.loads(view.metadata.model_dump_json(by_alias=True))
