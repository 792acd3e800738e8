"""Manifests and manifest lists as Avro of a format version, unknown fields of the source kept.

A record is taken over by field ids: writers name fields differently. What the specification does
not know stays a field of the new file, nullable, because the other records may lack it.

Source: Iceberg table specification, "Manifests" and "Manifest Lists"; the schemas are PyIceberg's.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_writer
from pyiceberg.manifest import (
    MANIFEST_LIST_FILE_SCHEMAS,
    data_file_with_partition,
    manifest_entry_schema_with_data_file,
)
from pyiceberg.typedef import TableVersion
from pyiceberg.types import StructType
from pyiceberg.utils.schema_conversion import AvroSchemaConversion

from dp_assets.adapters.recovery.avro_generic import (
    MAGIC,
    SYNC_BYTES,
    Container,
    Record,
    open_container,
)
from dp_assets.adapters.recovery.avro_source import damaged

Schema = dict[str, Any]

CODEC = "deflate"
BLOCK_RECORDS = 1_000
PARTITION, DATA_FILE, REFERENCED = 102, 2, 143
VERSIONS: tuple[TableVersion, ...] = (1, 2, 3)
# Required in version 1 and meaningless since; what all writers say.
_DEFAULTS: Mapping[int, Any] = {105: 64 * 1024 * 1024, 134: 0, 515: 0, 516: 0, 517: 0}


@dataclass(frozen=True, slots=True)
class Taking:
    """How records of one source become records of a target: (target name, source name) pairs."""

    names: tuple[tuple[str, str], ...]
    defaults: Mapping[str, Any]

    def __call__(self, record: Record) -> Record:
        taken = {target: record[source] for target, source in self.names}
        for name, default in self.defaults.items():
            if taken.get(name) is None:
                taken[name] = default
        return taken


def schema_of(container: Container) -> Schema:
    """The Avro schema that a file carries."""
    return json.loads(container.metadata["avro.schema"])


def list_schema(version: int, source: Schema | None = None) -> Schema:
    """Of a manifest list, with what only ``source`` has."""
    made = _list(version)
    more = [] if source is None else _unknown(source["fields"], _ids(_list(3)))
    return {**made, "fields": [*made["fields"], *more]}


def entry_schema(version: int, source: Schema) -> Schema:
    """Of a manifest whose entries are those of ``source``: its partition, its unknown fields."""
    made, file = _entry(version), data_file_schema(_entry(version))
    known = set().union(*(_ids(data_file_schema(_entry(v))) for v in VERSIONS))
    theirs = data_file_schema(source)
    partition = _by_id(theirs["fields"], PARTITION)["type"]
    fields = [{**f, "type": partition} if f["field-id"] == PARTITION else f for f in file["fields"]]
    if version == 2:  # newer writers have it there, too; one schema must do for all of them
        fields.append(_by_id(data_file_schema(_entry(3))["fields"], REFERENCED))
    file = {**file, "fields": [*fields, *_unknown(theirs["fields"], known)]}
    entry = [{**f, "type": file} if f["field-id"] == DATA_FILE else f for f in made["fields"]]
    return {**made, "fields": [*entry, *_unknown(source["fields"], _ids(_entry(3)))]}


def data_file_schema(entry: Schema) -> Schema:
    """Of the data file inside a manifest's entry."""
    return _by_id(entry["fields"], DATA_FILE)["type"]


def partition_schema(entry: Schema) -> Schema:
    """Of the partition inside a manifest's entry."""
    return _by_id(data_file_schema(entry)["fields"], PARTITION)["type"]


def taking(source: Schema, target: Schema) -> Callable[[Record], Record]:
    """From records of ``source`` to records of ``target``, by field ids; the rest is null."""
    theirs = {_id(field): field["name"] for field in source["fields"]}
    found = {f["name"]: theirs.get(_id(f), theirs.get(f["name"])) for f in target["fields"]}
    names = tuple((name, source) for name, source in found.items() if source is not None)
    defaults = {f["name"]: _DEFAULTS.get(_id(f)) for f in target["fields"]}
    return Taking(names, defaults)


def taking_entry(source: Schema, target: Schema) -> Callable[[Record], Record]:
    """As :func:`taking`, for the data file inside an entry as well."""
    outer = taking(source, target)
    inner = taking(data_file_schema(source), data_file_schema(target))
    name = _by_id(target["fields"], DATA_FILE)["name"]

    def take(entry: Record) -> Record:
        taken = outer(entry)
        taken[name] = inner(taken[name])
        return taken

    return take


def filled(record: Record, schema: Schema) -> Record:
    """``record``, by the names of ``schema``, with defaults for what it lacks."""
    return {
        f["name"]: _DEFAULTS.get(_id(f)) if record.get(f["name"]) is None else record[f["name"]]
        for f in schema["fields"]
    }


def new_container(schema: Schema, metadata: Mapping[str, str | bytes], *, name: str) -> Container:
    """A container without blocks yet; its ``head`` is the beginning of the file."""
    kept = {k: v.encode() if isinstance(v, str) else v for k, v in metadata.items()}
    kept |= {"avro.schema": json.dumps(schema).encode(), "avro.codec": CODEC.encode()}
    head = _header(kept) + secrets.token_bytes(SYNC_BYTES)
    return open_container(head, name=name)


def container_bytes(container: Container, records: Sequence[Record]) -> bytes:
    """A whole file. Raises PermanentError for a record that does not fit."""
    blocks = (records[n : n + BLOCK_RECORDS] for n in range(0, len(records), BLOCK_RECORDS))
    return container.head + b"".join(encoded(container, list(block)) for block in blocks)


def encoded(container: Container, block: list[Record]) -> bytes:
    """A block. Raises PermanentError for a record that does not fit, e.g. without a count."""
    return container.block(len(block), b"".join(plain(container, record) for record in block))


def plain(container: Container, record: Record) -> bytes:
    """A record as it is inside a block. Raises PermanentError as :func:`encoded`."""
    try:
        return container.plain(record)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise damaged(container.name, f"a record does not fit its format: {error!r}") from error


def _header(metadata: Mapping[str, bytes]) -> bytes:
    written = BytesIO()
    written.write(MAGIC)
    schemaless_writer(written, {"type": "map", "values": "bytes"}, dict(metadata))
    return written.getvalue()


@cache
def _list(version: int) -> Schema:
    schema = MANIFEST_LIST_FILE_SCHEMAS[version]
    return cast("Schema", AvroSchemaConversion().iceberg_to_avro(schema, "manifest_file"))


@cache
def _entry(version: int) -> Schema:
    known: TableVersion = VERSIONS[version - 1]
    file = data_file_with_partition(StructType(), format_version=known)
    schema = manifest_entry_schema_with_data_file(format_version=known, data_file=file)
    return cast("Schema", AvroSchemaConversion().iceberg_to_avro(schema, "manifest_entry"))


def _unknown(fields: Iterable[Schema], known: set[int]) -> list[Schema]:
    return [
        {**field, "type": _nullable(field["type"]), "default": None}
        for field in fields
        if isinstance(_id(field), int) and _id(field) not in known
    ]


def _nullable(kind: Any) -> list[Any]:
    branches: list[Any] = kind if isinstance(kind, list) else [kind]
    return ["null", *(branch for branch in branches if branch != "null")]


def _ids(schema: Schema) -> set[int]:
    return {field["field-id"] for field in schema["fields"]}


def _id(field: Schema) -> Any:
    """Some files have names only."""
    return field.get("field-id", field["name"])


def _by_id(fields: Iterable[Schema], field_id: int) -> Schema:
    names = {DATA_FILE: "data_file", PARTITION: "partition"}
    return next(f for f in fields if _id(f) in (field_id, names.get(field_id)))
