"""What tells manifests apart that cannot become one: partition types, fields of no known version.

Names, docs, the order of fields and who may be null differ between writers and mean nothing.

Source: Iceberg table specification, "Manifests": the field ids.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

Json = Mapping[str, Any]

DATA_FILE, PARTITION = 2, 102
# Of entries, and of the data files in them, in versions 1 to 3.
ENTRY_FIELDS = frozenset({0, 1, 2, 3, 4})
_FILE_RANGES = ((100, 105), (108, 110), (131, 132), (134, 135), (142, 145))
_FILE_SINGLE = (125, 128, 137, 140)
FILE_FIELDS = frozenset(n for a, b in _FILE_RANGES for n in range(a, b + 1)) | {*_FILE_SINGLE}
_NAMES = {"data_file": DATA_FILE, "partition": PARTITION}
_TYPE_KEYS = ("type", "size", "logicalType", "precision", "scale", "adjust-to-utc")


@lru_cache(maxsize=256)
def manifest_shape(avro_schema: bytes) -> str:
    """Of a manifest with this schema; the same text for those that one schema can hold.

    Raises KeyError or ValueError for what is no manifest's.
    """
    entry = _fields(json.loads(avro_schema))
    file = _fields(entry[DATA_FILE])
    partition = [[key, _type(kind)] for key, kind in _fields(file[PARTITION]).items()]
    more = {**_unknown(entry, ENTRY_FIELDS), **_unknown(file, FILE_FIELDS)}
    return json.dumps([partition, sorted(more.items())], separators=(",", ":"))


def _unknown(fields: Mapping[Any, Any], known: frozenset[int]) -> dict[str, Any]:
    return {str(key): _type(kind) for key, kind in fields.items() if key not in known}


def _fields(record: Any) -> dict[Any, Any]:
    """Types by field id, or by name where there is none, in their order."""
    fields: list[Json] = _without_null(record)["fields"]
    return {f.get("field-id", _NAMES.get(f["name"], f["name"])): f["type"] for f in fields}


def _type(kind: Any) -> Any:
    plain = _without_null(kind)
    if not isinstance(plain, dict):
        return plain
    known = cast("Json", plain)
    if "fields" in known:
        return [[str(key), _type(one)] for key, one in _fields(known).items()]
    if isinstance(known["type"], dict):
        return _type(known["type"])
    inner = {key: _type(known[key]) for key in ("items", "values") if key in known}
    return {**{key: known[key] for key in _TYPE_KEYS if key in known}, **inner}


def _without_null(kind: Any) -> Any:
    if isinstance(kind, list):
        branches = [branch for branch in cast("list[Any]", kind) if branch != "null"]
        return branches[0] if len(branches) == 1 else branches
    return kind
