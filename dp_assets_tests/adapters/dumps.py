"""Dumps for tests: catalogs without files, and the ways in which a dump gets damaged."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.metastore.catalog_fill import fill_catalog
from dp_assets.adapters.metastore.dump_folder import RECORD, _own_hash, _sha256
from dp_assets.core.ids import TableId
from dp_assets.ports.metastore import CatalogState, Dumped

NAME = "lake"
WRITER = "dp_assets_tests.adapters.pointer_writer"
NAMESPACES = {"raw": {"owner": "ops"}, "ops": {"dp.id": "id-1"}}


def clock() -> int:
    """The moment of every dump in these tests: 2013-01-02T03:04:05Z."""
    return 1_357_095_845_000


def state_of(tables: int, *, version: int = 0) -> CatalogState:
    """As :func:`fill` makes it; all pointers of one version."""
    names = [TableId("raw", f"t{number:05d}") for number in range(tables)]
    return CatalogState(
        pointers={name: pointer(name.name, version) for name in names},
        namespaces=NAMESPACES,
        views={"raw.v": {"metadata-location": "file:///wh/raw/v/00001.metadata.json"}},
    )


def pointer(table: str, version: int) -> str:
    return f"file:///wh/raw/{table}/metadata/{version:05d}.metadata.json"


def fill(uri: str, *, tables: int = 3) -> None:
    """Make a catalog of ``tables`` pointers, a view and two namespaces; no table has files."""
    with closing(SqlCatalog(NAME, uri=uri)) as catalog:
        fill_catalog(catalog, state_of(tables))


def versions(dumped: Dumped) -> set[str]:
    """The distinct versions of the dump's pointers: one, when it is one state."""
    return {location.rpartition("/")[2] for location in dumped.pointers.values()}


@contextmanager
def writers(uri: str, *, processes: int = 2) -> Generator[None, None, None]:
    """Processes that move all pointers together, again and again, for the length of a block."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", WRITER, uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()


def sign_again(folder: Path, **changes: object) -> None:
    """Make the dump's record fit its files, as a dump that was bad from the start has it."""
    path = folder / RECORD
    content = json.loads(path.read_text())["dump"] | changes
    content["files"] = [
        {"path": f["path"], "size": (p := folder / f["path"]).stat().st_size, "sha256": _sha256(p)}
        for f in content["files"]
        if (folder / f["path"]).exists()
    ]
    path.write_text(json.dumps({"dump": content, "sha256": _own_hash(content)}))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path, *, at: float = 0.5) -> None:
    """Flip all bits of the one byte at that share of the file."""
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 0xFF
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: Sequence[tuple[str, Callable[[Path], None], str]] = (
    ("truncated", cut_short, r"has \d+ bytes, not \d+"),
    ("empty", empty, r"has 0 bytes, not \d+"),
    ("altered", flip, "was altered"),
    ("lost", Path.unlink, "is missing"),
)
