"""What compaction does not do because it could not do it exactly, each with the reason.

Of a table, of a data file, or of the deletes that apply to it: all out of metadata and manifests.
What only a data file's footer shows (no field ids and no name mapping) is refused when its group
is rewritten.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dp_assets.domains.maintenance.deletes import Deletes, Refusals
from dp_assets.ports.closure import KeptSnapshot, LiveEntry, TableClosure
from dp_assets.ports.live_files import LiveFile, live_files
from dp_assets.ports.recovery import FileKind

Json = Mapping[str, Any]

VERSIONS = (1, 2, 3)
_KNOWN = re.compile(
    r"boolean|int|long|float|double|date|time|timestamp|timestamp_ns|timestamptz|string|uuid|binary"
    r"|decimal\(\s*\d+\s*,\s*\d+\s*\)|fixed\[\s*\d+\s*\]"
)


def head_of(closure: TableClosure) -> KeptSnapshot | None:
    """The current snapshot of the table; None when it has none."""
    return next((s for s in closure.snapshots if s.snapshot_id == closure.head), None)


def table_refusals(closure: TableClosure) -> tuple[str, ...]:
    """Why nothing of the table is compacted; empty when something may be."""
    head = head_of(closure)
    if head is None:
        return ("it has no snapshot",)
    found = [
        *_of_metadata(closure.metadata, closure.format_version),
        *_of_schema(closure.schema),
        *_of_sort_order(closure.metadata),
    ]
    if not head.manifest_list:
        found.append("its head is a version 1 snapshot without a manifest list")
    if closure.broken:
        found.append("a manifest of it cannot be read")
    if any(use.encrypted for use in head.manifests):
        found.append("it is encrypted")
    return tuple(dict.fromkeys(found))


def file_refusal(data: LiveFile, deletes: Iterable[LiveFile], columns: Mapping[int, Any]) -> str:
    """Why a data file stays as it is, the deletes that apply to it included; "" when it may go.

    Args:
        data: a data file.
        deletes: all that may apply to it.
        columns: as :func:`columns_ever`.
    """
    if data.entry.encrypted:
        return "data is encrypted"
    if data.entry.format != "PARQUET":
        return f"data in {data.entry.format}"
    return next(filter(None, (delete_refusal(one, columns) for one in deletes)), "")


def delete_refusal(delete: LiveFile, columns: Mapping[int, Any]) -> str:
    """Why what a delete applies to stays as it is; "" when it may go."""
    if delete.entry.encrypted:
        return f"{delete.entry.kind} that apply are encrypted"
    if delete.entry.kind is not FileKind.DELETION_VECTORS and delete.entry.format != "PARQUET":
        return f"{delete.entry.kind} in {delete.entry.format} apply"
    return _of_equality(delete.entry, columns)


def columns_ever(closure: TableClosure) -> dict[int, Any]:
    """Type by field id of every column that the table has or had, Iceberg's JSON.

    The newest type of each; what is inside a column is left out.
    """
    kept: Iterable[Json] = closure.metadata.get("schemas") or ()
    schemas = (*sorted(kept, key=lambda one: one.get("schema-id", 0)), closure.schema)
    return {f["id"]: f["type"] for schema in schemas for f in schema.get("fields") or ()}


def refusals(closure: TableClosure) -> tuple[str, ...]:
    """All that is refused of a table, for people: of the whole first, else of so many files."""
    whole = table_refusals(closure)
    head = head_of(closure)
    if whole or head is None:
        return whole
    files = list(live_files(closure, head))
    deletes = Deletes(files)
    columns = columns_ever(closure)
    unequal = Refusals(lambda delete: delete_refusal(delete, columns))
    data = [(file, deletes.applying(file)) for file in files if file.entry.kind is FileKind.DATA]
    return counted(
        file_refusal(one, found.named, columns) or unequal.of(found) for one, found in data
    )


def counted(reasons: Iterable[str]) -> tuple[str, ...]:
    """``3 files: data in ORC``, the most frequent reason first; empty ones are no reasons."""
    counts = Counter(reason for reason in reasons if reason)
    return tuple(
        f"{count} {'file' if count == 1 else 'files'}: {reason}"
        for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )


def _of_metadata(metadata: Json, version: int) -> Iterator[str]:
    if version not in VERSIONS:
        yield f"format version {version} is not compacted yet"
    if metadata.get("encryption-keys") or "encryption.key-id" in (metadata.get("properties") or {}):
        yield "it is encrypted"


def _of_equality(delete: LiveEntry, columns: Mapping[int, Any]) -> str:
    """Why an equality delete is not applied exactly; "" for other deletes."""
    if delete.kind is not FileKind.EQUALITY_DELETES:
        return ""
    if not delete.equality_ids:
        return "equality deletes that name no column apply"
    for field_id in delete.equality_ids:
        kind = columns.get(field_id)
        if not isinstance(kind, str):
            return "equality deletes by an unknown or nested column apply"
        if kind in ("float", "double") or not _KNOWN.fullmatch(kind):
            return f"equality deletes by a column of type {kind} apply"
    return ""


def _of_schema(schema: Json) -> Iterator[str]:
    fields: list[Json] = list(schema.get("fields") or ())
    fixed = any(_is_fixed(field["type"]) for field in fields)
    for field in fields:
        yield from _of_type(field["type"], field["name"])
        if isinstance(field["type"], dict) and fixed:
            yield "a fixed column beside a nested one"
    yield from _of_names(fields, "")


def _of_type(kind: Any, name: str) -> Iterator[str]:
    if isinstance(kind, str):
        if not _KNOWN.fullmatch(kind):
            yield f"column {name} of type {kind}"
        return
    for part in _parts(kind):
        if isinstance(part, str) and _is_fixed(part):
            yield f"column {name} holds a nested fixed"
        yield from _of_type(part, name)
    fields: list[Json] = kind.get("fields") or []
    if any("initial-default" in field for field in fields):
        yield f"column {name} has a nested default"
    yield from _of_names(fields, f"{name}.")


def _of_names(fields: Iterable[Json], within: str) -> Iterator[str]:
    names = Counter(field["name"].casefold() for field in fields)
    for name, count in names.items():
        if count > 1:
            yield f"columns named {within}{name} that differ only in case"


def _of_sort_order(metadata: Json) -> Iterator[str]:
    for field in sort_fields(metadata):
        if field["transform"].startswith("bucket"):
            yield "the table is sorted by a bucket"


def sort_fields(metadata: Json) -> tuple[Json, ...]:
    """What the table is sorted by, Iceberg's JSON; empty when by nothing."""
    wanted = metadata.get("default-sort-order-id") or 0
    orders: Iterable[Json] = metadata.get("sort-orders") or ()
    found = next((order for order in orders if order["order-id"] == wanted), None)
    return tuple(found["fields"]) if found else ()


def _parts(kind: Json) -> Iterator[Any]:
    yield from (field["type"] for field in kind.get("fields") or ())
    yield from (kind[part] for part in ("element", "key", "value") if part in kind)


def _is_fixed(kind: Any) -> bool:
    return isinstance(kind, str) and kind.startswith("fixed")
