"""What compaction does not do because it could not do it exactly, each with the reason.

Of a table, of a data file, or of the deletes that apply to it: all out of metadata and manifests.
What only a data file's footer shows (no field ids and no name mapping) is refused when its group
is rewritten.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dp_assets.domains.maintenance.live_files import Deletes, LiveFile, live_files
from dp_assets.ports.closure import KeptSnapshot, TableClosure
from dp_assets.ports.recovery import FileKind

Json = Mapping[str, Any]

VERSIONS = (1, 2)
_KNOWN = re.compile(
    r"boolean|int|long|float|double|date|time|timestamp|timestamptz|string|uuid|binary"
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
    if any(file.entry.kind is FileKind.EQUALITY_DELETES for file in live_files(closure, head)):
        # PyIceberg plans no such table, and what it cannot plan is not proven.
        found.append("equality deletes are not compacted yet")
    if any(use.encrypted for use in head.manifests):
        found.append("it is encrypted")
    return tuple(dict.fromkeys(found))


def file_refusal(data: LiveFile, deletes: Iterable[LiveFile]) -> str:
    """Why a data file stays as it is, the deletes that apply to it included; "" when it may go."""
    if data.entry.encrypted:
        return "data is encrypted"
    if data.entry.format != "PARQUET":
        return f"data in {data.entry.format}"
    for delete in deletes:
        if delete.entry.encrypted:
            return f"{delete.entry.kind} that apply are encrypted"
        if delete.entry.kind is not FileKind.POSITION_DELETES:
            return f"{delete.entry.kind} apply"
        if delete.entry.format != "PARQUET":
            return f"position deletes in {delete.entry.format} apply"
    return ""


def refusals(closure: TableClosure) -> tuple[str, ...]:
    """All that is refused of a table, for people: of the whole first, else of so many files."""
    whole = table_refusals(closure)
    head = head_of(closure)
    if whole or head is None:
        return whole
    files = list(live_files(closure, head))
    deletes = Deletes(files)
    data = (file for file in files if file.entry.kind is FileKind.DATA)
    return counted(file_refusal(one, deletes.of(one)) for one in data)


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
