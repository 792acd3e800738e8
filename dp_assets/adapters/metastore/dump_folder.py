"""A dump's folder on the local disk: its record written last, its files hashed and re-hashed."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dp_assets.adapters.local_files import make_folders, replace_file, sync_folder
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import utc
from dp_assets.ports.metastore import CatalogState, DumpCheck, Dumped, DumpedFile, MetastoreKind

FORMAT = 1
RECORD, CHECK, CATALOG = "dump.json", "check.json", "catalog.json"
CHUNK_BYTES = 1 << 20
DAMAGED = "'dp dump --list' shows the dumps that checked good"


@dataclass(frozen=True, slots=True)
class DumpRecord:
    """``dump.json``: everything about a dump but its content."""

    format: int
    kind: MetastoreKind
    catalog: str
    address: str
    server_version: str
    tool_version: str
    taken_at_ms: int
    cut: str
    skew_ms: int
    skewed: tuple[str, ...]
    pointers: int
    namespaces: int
    views: int
    rows: dict[str, int]
    files: tuple[DumpedFile, ...]

    @property
    def size(self) -> int:
        """Bytes of its files, this record left out."""
        return sum(file.size for file in self.files)


_RECORD: TypeAdapter[DumpRecord] = TypeAdapter(DumpRecord)
_CHECK: TypeAdapter[DumpCheck] = TypeAdapter(DumpCheck)


def folder_name(taken_at_ms: int, kind: MetastoreKind) -> str:
    """``20130102T030405Z-sqlite``."""
    return f"{utc(taken_at_ms):%Y%m%dT%H%M%SZ}-{kind}"


def prepare(folder: Path) -> None:
    """Make ``folder``. Raises PermanentError when there is something in it."""
    make_folders(folder)
    if any(folder.iterdir()):
        raise PermanentError(f"{folder} is not empty", hint="a dump needs a folder of its own")


def write_state(folder: Path, catalog: str, state: CatalogState) -> None:
    """Write ``catalog.json``."""
    # On one line: with line breaks Python takes ten times as long for a big catalog.
    _write_json(folder / CATALOG, _state_json(catalog, state), indent=None)


def finish(folder: Path, dumped: Dumped) -> Dumped:
    """Put every file on the disk, then write ``dump.json``."""
    for path in _files(folder):
        _sync(path)
    for inner in {path.parent for path in _files(folder)}:
        sync_folder(inner)
    files = tuple(_hashed(folder, path) for path in _files(folder))
    record = DumpRecord(
        format=FORMAT,
        kind=dumped.kind,
        catalog=dumped.catalog,
        address=dumped.address,
        server_version=dumped.server_version,
        tool_version=dumped.tool_version,
        taken_at_ms=dumped.taken_at_ms,
        cut=dumped.cut,
        skew_ms=dumped.skew_ms,
        skewed=tuple(map(str, dumped.skewed)),
        pointers=len(dumped.state.pointers),
        namespaces=len(dumped.state.namespaces),
        views=len(dumped.state.views),
        rows=dict(dumped.rows),
        files=files,
    )
    content = json.loads(_RECORD.dump_json(record))
    _write_json(folder / RECORD, {"dump": content, "sha256": _own_hash(content)})
    return replace(dumped, files=(*files, _hashed(folder, folder / RECORD)))


def read_record(folder: Path) -> DumpRecord:
    """The record of the finished dump in ``folder``.

    Raises PermanentError: unfinished, damaged, or of a later format.
    """
    path = folder / RECORD
    about = f"dump {folder.name}"
    try:
        document = json.loads(path.read_bytes())
        content = document["dump"]
        if document["sha256"] != _own_hash(content):
            raise PermanentError(f"{about}: {RECORD} was altered", hint=DAMAGED)
        if content["format"] > FORMAT:
            raise PermanentError(
                f"{about} is of format {content['format']}, this software knows {FORMAT}",
                hint="use the version that wrote it, or a later one",
            )
        return _RECORD.validate_python(content)
    except FileNotFoundError:
        raise PermanentError(
            f"{about} is unfinished: it has no {RECORD}", hint="run 'dp dump' for a new one"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(f"{about}: {RECORD} is damaged", hint=DAMAGED) from error


def read_state(folder: Path) -> CatalogState:
    """The catalog as in the dump. Raises PermanentError when ``catalog.json`` is damaged."""
    try:
        content = json.loads((folder / CATALOG).read_bytes())
        return CatalogState(
            pointers={
                TableId(namespace, name): str(pointer)
                for namespace, tables in content["tables"].items()
                for name, pointer in tables.items()
            },
            namespaces={str(k): dict(v) for k, v in content["namespaces"].items()},
            views={str(k): dict(v) for k, v in content["views"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PermanentError(
            f"dump {folder.name}: {CATALOG} is damaged ({error!r})", hint=DAMAGED
        ) from error


def damaged_files(folder: Path, record: DumpRecord) -> tuple[str, ...]:
    """Files that are missing, short, altered or not of this dump, in words; all are read."""
    recorded = {file.path: file for file in record.files}
    found = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    foreign = sorted(found.keys() - recorded.keys() - {RECORD, CHECK})
    problems = [f"{name} is not part of the dump" for name in foreign]
    for name, file in recorded.items():
        if name not in found:
            problems.append(f"{name} is missing")
        elif (size := found[name].stat().st_size) != file.size:
            problems.append(f"{name} has {size} bytes, not {file.size}")
        elif _sha256(found[name]) != file.sha256:
            problems.append(f"{name} was altered: its SHA-256 is another one")
    return tuple(problems)


def record_sha256(folder: Path) -> str:
    """Names the dump in a check's record; "" when it is unfinished."""
    path = folder / RECORD
    return _sha256(path) if path.is_file() else ""


def write_check(folder: Path, check: DumpCheck) -> None:
    """Keep what the check found beside the dump."""
    _write_json(folder / CHECK, json.loads(_CHECK.dump_json(check)))


def read_check(folder: Path) -> DumpCheck | None:
    """The last check of this very dump; None when there is none that can be read."""
    try:
        check = _CHECK.validate_json((folder / CHECK).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return check if check.dump_sha256 == record_sha256(folder) else None


def _state_json(catalog: str, state: CatalogState) -> dict[str, Any]:
    tables: dict[str, dict[str, str]] = {}
    for namespace, name, pointer in sorted(
        (t.namespace, t.name, p) for t, p in state.pointers.items()
    ):
        tables.setdefault(namespace, {})[name] = pointer
    return {
        "format": FORMAT,
        "catalog": catalog,
        "namespaces": {name: dict(state.namespaces[name]) for name in sorted(state.namespaces)},
        "tables": tables,
        "views": {name: dict(state.views[name]) for name in sorted(state.views)},
    }


def _own_hash(content: object) -> str:
    """Of the JSON without white space, keys in order of their code points."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_json(path: Path, content: object, *, indent: int | None = 1) -> None:
    replace_file(path, json.dumps(content, indent=indent).encode() + b"\n")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _hashed(folder: Path, path: Path) -> DumpedFile:
    name = path.relative_to(folder).as_posix()
    return DumpedFile(name, path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
