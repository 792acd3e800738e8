"""The schema that an Avro file carries, made into one to decode its blocks with."""

import json
from collections.abc import Mapping
from typing import Any

from fastavro import parse_schema

from dp_assets.adapters.recovery.avro_source import DAMAGE, damaged

_SCHEMA_KEYS = frozenset(
    {"fields", "items", "name", "namespace", "size", "symbols", "type", "values"}
)


def decoding_schema(metadata: Mapping[str, bytes], *, name: str) -> Any:
    """Of an array of records: a block is one but for its count, and one call instead of many."""
    try:
        return parse_schema({"type": "array", "items": _plain(json.loads(metadata["avro.schema"]))})
    except DAMAGE as error:
        raise damaged(name, f"its schema cannot be read: {error!r}") from error


def _plain(schema: Any) -> Any:
    """Only what decoding needs: no logical types, no defaults, no foreign attributes."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = schema.get("items", schema.get("values"))
    # A damaged count of items without bytes would be followed for ever.
    if inner is not None and _takes_no_bytes(inner):
        raise ValueError("a list of items without bytes")
    nested = ("type", "items", "values", "fields")
    return {k: _plain(v) if k in nested else v for k, v in schema.items() if k in _SCHEMA_KEYS}


def _takes_no_bytes(schema: Any) -> bool:
    if isinstance(schema, dict):
        if schema.get("type") == "record":
            return all(_takes_no_bytes(field.get("type")) for field in schema.get("fields", ()))
        return schema.get("size") == 0 or _takes_no_bytes(schema.get("type"))
    return schema == "null"
