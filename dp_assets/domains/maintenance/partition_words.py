"""A partition's stored values in words: ``month=2013-01, carrier=UA``.

Manifests keep days and months as counts since 1970, decimals and uuids as bytes. What cannot be
read as what the schema says, a year beyond 9999 for one, is shown as it is stored.

Source: Iceberg table specification, "Partition Transforms", "Appendix A: Avro".
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

Json = Mapping[str, Any]

_DECIMAL = re.compile(r"decimal\(\s*\d+\s*,\s*(\d+)\s*\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Field:
    """``kind`` is how the value is stored: a type, or a transform whose result has its own."""

    name: str
    kind: str


class PartitionWords:
    """Reads partitions of one table.

    Args:
        metadata: the table's, Iceberg's JSON; all specs and schemas are used.
    """

    def __init__(self, metadata: Json) -> None:
        types = dict(_types(metadata))
        self._specs = {
            spec_id: tuple(_Field(f["name"], _kind(f, types)) for f in fields)
            for spec_id, fields in _specs(metadata)
        }

    def __call__(self, spec_id: int, partition: str) -> str:
        """``partition`` (as :attr:`LiveEntry.partition`) in words; "" for no values."""
        if not partition:
            return ""
        stored: dict[str, Any] = json.loads(partition)
        fields = self._specs.get(spec_id, ())
        if len(fields) != len(stored):  # a spec that the metadata no longer has
            fields = tuple(_Field(name, "") for name in stored)
        # By place: Avro cannot spell every name, and writers keep the order of the spec.
        pairs = zip(fields, stored.values(), strict=True)
        shown = [f"{f.name}={_shown(v, f.kind)}" for f, v in pairs if f.kind != "void"]
        return ", ".join(shown)


def _specs(metadata: Json) -> Iterator[tuple[int, Iterable[Json]]]:
    for spec in metadata.get("partition-specs") or ():
        yield spec["spec-id"], spec["fields"]
    if not metadata.get("partition-specs"):  # as version 1 had it
        yield 0, metadata.get("partition-spec") or ()


def _types(metadata: Json) -> Iterator[tuple[int, str]]:
    """Type by field id, over every schema: a partition may be by a column that was dropped."""
    schemas: Iterable[Json] = metadata.get("schemas") or ()
    only: Json = metadata.get("schema") or {}  # as version 1 had it
    for schema in (*schemas, only):
        yield from _nested(schema)


def _nested(kind: str | Json) -> Iterator[tuple[int, str]]:
    if isinstance(kind, str):
        return
    for field in kind.get("fields") or ():
        if isinstance(field["type"], str):
            yield field["id"], field["type"]
        yield from _nested(field["type"])


def _kind(field: Json, types: Mapping[int, str]) -> str:
    transform = str(field["transform"])
    if transform == "identity" or transform.startswith("truncate"):
        return types.get(field.get("source-id", -1), "")
    return transform


def _shown(value: Any, kind: str) -> str:
    if value is None:
        return "null"
    try:
        return _read(value, kind)
    except (ArithmeticError, TypeError, ValueError):
        return str(value)


def _read(value: Any, kind: str) -> str:
    if decimal := _DECIMAL.fullmatch(kind):
        unscaled = int.from_bytes(bytes.fromhex(value), "big", signed=True)
        return str(Decimal(unscaled).scaleb(-int(decimal[1])))
    match kind:
        case "year":
            return f"{1970 + value:04}"
        case "month":
            return f"{1970 + value // 12:04}-{value % 12 + 1:02}"
        case "day" | "date":
            return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
        case "hour":
            return (_EPOCH + timedelta(hours=value)).strftime("%Y-%m-%dT%H")
        case "timestamp" | "timestamptz":
            return _plain_time(_EPOCH + timedelta(microseconds=value))
        case "timestamp_ns" | "timestamptz_ns":
            return _plain_time(_EPOCH + timedelta(microseconds=value // 1000))
        case "time":
            return (_EPOCH + timedelta(microseconds=value)).time().isoformat()
        case "uuid":
            return str(UUID(hex=value))
        case "boolean":
            return str(value).lower()
        case _:
            return f"0x{value}" if kind == "binary" or kind.startswith("fixed") else str(value)


def _plain_time(at: datetime) -> str:
    """Without the zone, which is UTC or none."""
    return at.replace(tzinfo=None).isoformat()
