"""What a table says at each snapshot and ref, read by each engine, as numbers that compare.

A reading is ``rows:hash``, the hash independent of the order of rows. It is computed by one
function for every engine, and is the one in ``data/zoo/expected.json``, which Spark's readings of
the original tables made.
"""

import datetime as dt
import decimal
import hashlib
import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.table import StaticTable

from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.core.errors import LakeError
from dp_assets.core.ids import TableId

Readings = dict[str, str]
REFUSED = "refused"
MODULUS = 2**128


def fingerprint(rows: pa.Table) -> str:
    total = 0
    for row in rows.to_pylist(maps_as_pydicts=None):
        text = json.dumps(
            sorted([k, plain(v)] for k, v in row.items()), sort_keys=True, default=str
        )
        total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"{rows.num_rows}:{total % MODULUS:032x}"


def plain(value: Any) -> Any:
    """A value in JSON's terms, the same whichever engine it came from."""
    match value:
        case dict():
            return sorted(([plain(k), plain(v)] for k, v in value.items()), key=repr)
        case list() if value and all(isinstance(v, tuple) and len(v) == 2 for v in value):
            return sorted(([plain(k), plain(v)] for k, v in value), key=repr)
        case list():
            return [plain(v) for v in value]
        case bytes():
            return f"0x{value.hex()}"
        case dt.datetime():
            return (
                (value.astimezone(dt.UTC) if value.tzinfo else value)
                .replace(tzinfo=None)
                .isoformat()
            )
        case decimal.Decimal():
            return str(value.normalize())
        case float():
            return "nan" if math.isnan(value) else repr(value)
        case dt.date() | uuid.UUID():
            return str(value)
    return value


def by_pyiceberg(pointer: str, properties: Mapping[str, str] | None = None) -> Readings:
    """Every snapshot, every ref and the current state; what it refuses is said."""
    table = StaticTable.from_metadata(pointer, dict(properties or {}))
    scans: dict[str, Callable[[], Any]] = {"current": table.scan}
    for snapshot in table.snapshots():
        at = snapshot.snapshot_id
        scans[f"snapshot {at}"] = lambda at=at: table.scan(snapshot_id=at)
    for ref in table.refs():
        scans[f"ref {ref}"] = lambda ref=ref: table.scan().use_ref(ref)
    return {name: _read(lambda s=scan: s().to_arrow()) for name, scan in scans.items()}


def by_duckdb(pointer: str, folder: Path, s3: Mapping[str, str] | None = None) -> Readings:
    """As :func:`by_pyiceberg`; refs by their snapshots, since DuckDB knows no others."""
    table = StaticTable.from_metadata(pointer, dict(s3 or {}))
    about = TableId("any", "table")
    at: dict[str, int | None] = {"current": None}
    at |= {f"snapshot {s.snapshot_id}": s.snapshot_id for s in table.snapshots()}
    with DuckDbReader(
        lambda _: pointer, memory_limit="200MB", threads=1, temp_dir=folder, s3=s3
    ) as reader:
        return {
            name: _read(
                lambda s=snapshot: reader.rows(
                    f"FROM {reader.scan(about, snapshot_id=s)}", about=about
                )
            )
            for name, snapshot in at.items()
        }


def _read(rows: Callable[[], pa.Table]) -> str:
    try:
        return fingerprint(rows())
    except (ValueError, LakeError) as error:
        return f"{REFUSED}: {str(error)[:80]}"


def read_well(readings: Readings) -> Readings:
    """Without what the engine refuses."""
    return {name: said for name, said in readings.items() if not said.startswith(REFUSED)}


def files_naming(folder: Path, text: str) -> Iterator[Path]:
    """Files under ``folder`` that contain ``text`` once they are decoded."""
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        if text.encode() in file.read_bytes() or any(text in repr(row) for row in _decoded(file)):
            yield file


def _decoded(file: Path) -> Iterator[Any]:
    import pyarrow.orc as orc
    import pyarrow.parquet as pq

    from dp_assets.adapters.recovery.avro_generic import records

    content = file.read_bytes()
    if content[:4] == b"Obj\x01":
        yield from records(content, name=file.name)
    elif content[:4] == b"PAR1":
        yield from pq.ParquetFile(file).read().to_pylist()
        yield pq.read_metadata(file).metadata
    elif content[:3] == b"ORC":
        yield from orc.ORCFile(file).read().to_pylist()
