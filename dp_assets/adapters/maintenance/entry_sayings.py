"""What manifests say of files, word for word, so that a rewrite of them can be proven.

Only what a manifest may leave to its list is left out: status, snapshot, numbers, row ids. Fields
are known by their ids, as everywhere in Iceberg, and what is null is not said. A value is compared
as it is stored: bounds are bytes, a float that is not a number is one like any other.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, cast

from dp_assets.adapters.iceberg_avro import DATA_FILE, PARTITION, Schema, schema_of
from dp_assets.adapters.maintenance.manifest_writing import DELETED
from dp_assets.adapters.recovery.avro_generic import Record, open_container

# Path, and a hash of everything else; as often as it is said.
Sayings = Counter[tuple[str, bytes]]

_PATH, _CONTENT, _BLOCK_SIZE, _FIRST_ROW_ID = 100, 134, 105, 142
# Status, snapshot, both sequence numbers.
_OF_THE_LIST = frozenset({0, 1, 3, 4})
# The size of a block is in version 1 only and always was a constant.
_LEFT_OUT = frozenset({_BLOCK_SIZE, _FIRST_ROW_ID})
_DEFAULTS: Mapping[int, Any] = {_CONTENT: 0}
_NAMES = {"data_file": DATA_FILE, "partition": PARTITION, "file_path": _PATH}


def saying(schema: Schema) -> Callable[[Record], tuple[str, bytes]]:
    """Of an entry of a manifest whose Avro schema this is."""
    outer = _fields(schema, _OF_THE_LIST)
    file = _fields(_record(_kind(schema, DATA_FILE)), _LEFT_OUT)
    partition = _fields(_record(_kind(_record(_kind(schema, DATA_FILE)), PARTITION)), frozenset())
    names = dict((*outer, *file))

    def said(entry: Record) -> tuple[str, bytes]:
        of_file: Record = entry[names[DATA_FILE]]
        place: Record = of_file[names[PARTITION]]
        text = repr(
            (
                [(key, entry[name]) for key, name in outer if _says(key, entry[name])],
                [(key, of_file[name]) for key, name in file if _says(key, of_file[name])],
                [(key, place[name]) for key, name in partition if place[name] is not None],
            )
        )
        path: str = of_file[names[_PATH]]
        return path, hashlib.sha256(text.encode(errors="surrogatepass")).digest()

    return said


def manifest_sayings(content: bytes, *, name: str) -> Sayings:
    """Of the live entries of a manifest. Raises PermanentError when it is damaged."""
    container = open_container(content, name=name)
    said = saying(schema_of(container))
    return Counter(said(entry) for entry in _live(container.records()))


def _live(entries: Iterator[Record]) -> Iterator[Record]:
    return (entry for entry in entries if entry["status"] != DELETED)


def _says(key: Any, value: Any) -> bool:
    return key not in (DATA_FILE, PARTITION) and value is not None and value != _DEFAULTS.get(key)


def _fields(record: Schema, without: frozenset[int]) -> list[tuple[Any, str]]:
    """Ids and names, in the order of the ids; what has no id is known by its name."""
    found = ((_id(field), field["name"]) for field in record["fields"])
    kept = [(key, name) for key, name in found if key not in without]
    return sorted(kept, key=lambda one: (isinstance(one[0], str), one[0]))


def _kind(record: Schema, key: int) -> Any:
    return next(field["type"] for field in record["fields"] if _id(field) == key)


def _record(kind: Any) -> Schema:
    branches = cast("list[Any]", kind) if isinstance(kind, list) else [kind]
    return next(branch for branch in branches if branch != "null")


def _id(field: Schema) -> Any:
    return field.get("field-id", _NAMES.get(field["name"], field["name"]))


def difference(before: Sayings, after: Sayings) -> str:
    """The first file that is said otherwise; "" when none is."""
    if before == after:
        return ""
    differing = min(((before - after) + (after - before)).keys(), key=itemgetter(0))
    return f"{differing[0]} is listed otherwise than before"
