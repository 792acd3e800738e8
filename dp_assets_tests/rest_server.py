"""An Iceberg REST catalog on loopback: PyIceberg's SQL catalog behind the protocol, no views.

For what SeaweedFS's catalog cannot do: it registers an existing table and then serves an empty one.
https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
"""

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

Json = dict[str, Any]
STATUS: Mapping[type[Exception], int] = {
    NoSuchNamespaceError: 404,
    NoSuchTableError: 404,
    NamespaceAlreadyExistsError: 409,
    TableAlreadyExistsError: 409,
    CommitFailedException: 409,
}
LEVELS = "\x1f"  # between the levels of a namespace in a path


@dataclass
class RestServer:
    """A running server with any number of catalogs.

    Attributes:
        uri: its address.
        catalogs: by the warehouse that clients name.
    """

    uri: str = ""
    catalogs: dict[str, SqlCatalog] = field(default_factory=dict[str, SqlCatalog])

    def add(self, warehouse: str, folder: Path, properties: Mapping[str, str]) -> None:
        """A new empty catalog; ``properties`` reach the bucket of its tables."""
        uri = f"sqlite:///{folder}/rest.db"
        name = f"c{len(self.catalogs)}"
        self.catalogs[warehouse] = SqlCatalog(name, uri=uri, warehouse=warehouse, **properties)


@contextmanager
def serving() -> Generator[RestServer]:
    """A server in a thread of its own, one request after the other."""
    found = RestServer()
    with HTTPServer(("127.0.0.1", 0), _handler(found)) as server:
        found.uri = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
            for catalog in found.catalogs.values():
                catalog.close()


def _handler(server: RestServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            try:
                status, said = _answer(server, self.command, self.path, self.rfile.read(size))
            except tuple(STATUS) as error:
                status = STATUS[type(error)]
                said = {
                    "error": {"message": str(error), "type": type(error).__name__, "code": status}
                }
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


def _answer(server: RestServer, method: str, target: str, body: bytes) -> tuple[int, Json]:
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/v1/config":
        number = list(server.catalogs).index(query["warehouse"])
        return 200, {"defaults": {}, "overrides": {"prefix": str(number)}}
    number, _, rest = url.path.removeprefix("/v1/").partition("/")
    catalog = [*server.catalogs.values()][int(number)]
    for wanted, pattern, handle in ROUTES:
        if wanted == method and (found := re.fullmatch(pattern, rest)):
            names = [tuple(unquote(part).split(LEVELS)) for part in found.groups()]
            return handle(catalog, names, json.loads(body) if body else {}, query)
    return 404, {"error": {"message": f"no route {method} {rest}", "type": "None", "code": 404}}


Names = list[tuple[str, ...]]
Query = Mapping[str, str]


def _list_namespaces(catalog: SqlCatalog, _: Names, __: Json, query: Query) -> tuple[int, Json]:
    parent = tuple(query["parent"].split(LEVELS)) if "parent" in query else ()
    return 200, {"namespaces": catalog.list_namespaces(parent)}


def _create_namespace(catalog: SqlCatalog, _: Names, body: Json, __: Query) -> tuple[int, Json]:
    catalog.create_namespace(tuple(body["namespace"]), body.get("properties") or {})
    return 200, body


def _load_namespace(catalog: SqlCatalog, names: Names, _: Json, __: Query) -> tuple[int, Json]:
    return 200, {
        "namespace": names[0],
        "properties": catalog.load_namespace_properties(names[0]),
    }


def _set_properties(catalog: SqlCatalog, names: Names, body: Json, _: Query) -> tuple[int, Json]:
    changed = catalog.update_namespace_properties(
        names[0], removals=set(body.get("removals") or ()), updates=body.get("updates") or {}
    )
    return 200, asdict(changed)


def _drop_namespace(catalog: SqlCatalog, names: Names, _: Json, __: Query) -> tuple[int, Json]:
    catalog.drop_namespace(names[0])
    return 204, {}


def _list_tables(catalog: SqlCatalog, names: Names, _: Json, __: Query) -> tuple[int, Json]:
    found = catalog.list_tables(names[0])
    return 200, {"identifiers": [{"namespace": one[:-1], "name": one[-1]} for one in found]}


def _create_table(catalog: SqlCatalog, names: Names, body: Json, _: Query) -> tuple[int, Json]:
    optional = {"location": None, "partition-spec": None, "write-order": None}
    asked = CreateTableRequest.model_validate({**optional, **body})
    catalog.create_table(
        (*names[0], asked.name),
        asked.table_schema,
        asked.location,
        asked.partition_spec or UNPARTITIONED_PARTITION_SPEC,
        asked.write_order or UNSORTED_SORT_ORDER,
        asked.properties,
    )
    return 200, _table(catalog, (*names[0], asked.name))


def _register(catalog: SqlCatalog, names: Names, body: Json, _: Query) -> tuple[int, Json]:
    identifier = (*names[0], body["name"])
    catalog.register_table(identifier, body["metadata-location"])
    return 200, _table(catalog, identifier)


def _load_table(catalog: SqlCatalog, names: Names, _: Json, __: Query) -> tuple[int, Json]:
    return 200, _table(catalog, (*names[0], *names[1]))


def _commit(catalog: SqlCatalog, names: Names, body: Json, _: Query) -> tuple[int, Json]:
    asked, identifier = CommitTableRequest.model_validate(body), (*names[0], *names[1])
    catalog.commit_table(catalog.load_table(identifier), asked.requirements, asked.updates)
    return 200, _table(catalog, identifier)


def _drop_table(catalog: SqlCatalog, names: Names, _: Json, __: Query) -> tuple[int, Json]:
    catalog.drop_table((*names[0], *names[1]))
    return 204, {}


def _table(catalog: SqlCatalog, identifier: tuple[str, ...]) -> Json:
    """The metadata file as it is: PyIceberg's models do not know every field of it."""
    table = catalog.load_table(identifier)
    with table.io.new_input(table.metadata_location).open() as file:
        metadata = json.loads(file.read())
    return {"metadata-location": table.metadata_location, "metadata": metadata, "config": {}}


Handle = Callable[[SqlCatalog, Names, Json, Query], tuple[int, Json]]
ROUTES: tuple[tuple[str, str, Handle], ...] = (
    ("GET", "namespaces", _list_namespaces),
    ("POST", "namespaces", _create_namespace),
    ("GET", "namespaces/([^/]+)", _load_namespace),
    ("DELETE", "namespaces/([^/]+)", _drop_namespace),
    ("POST", "namespaces/([^/]+)/properties", _set_properties),
    ("GET", "namespaces/([^/]+)/tables", _list_tables),
    ("POST", "namespaces/([^/]+)/tables", _create_table),
    ("POST", "namespaces/([^/]+)/register", _register),
    ("GET", "namespaces/([^/]+)/tables/([^/]+)", _load_table),
    ("POST", "namespaces/([^/]+)/tables/([^/]+)", _commit),
    ("DELETE", "namespaces/([^/]+)/tables/([^/]+)", _drop_table),
)
