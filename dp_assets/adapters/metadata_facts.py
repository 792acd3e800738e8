"""Table facts out of a metadata file's JSON; versions 1 to 3, unknown fields ignored.

Source of the field names: Iceberg table specification, "Table Metadata Fields", "Appendix C".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import Column, TableFacts

Json = Mapping[str, Any]

WRITER = "dp.writer"
ADOPTED = "dp.adopted"
OWNERS = ("dp.owner", "owner")


@dataclass(frozen=True, slots=True)
class Totals:
    """What the current snapshot holds."""

    rows: int
    files: int
    bytes: int
    delete_files: int


def facts_of(
    metadata: Json, *, table: TableId, pointer: str, count: Callable[[Json], Totals]
) -> TableFacts:
    """The facts of ``table``; ``count`` reads a snapshot's manifests where its summary is silent.

    Raises:
        ValueError: the metadata names a current snapshot or schema that it does not hold.
    """
    head = _head(metadata)
    totals = Totals(0, 0, 0, 0) if head is None else summary_totals(head) or count(head)
    properties = metadata.get("properties") or {}
    schema = current_schema(metadata)
    writer = properties.get(WRITER, "")
    return TableFacts(
        table=table,
        metadata_location=pointer,
        uuid=metadata.get("table-uuid") or "",
        location=metadata.get("location") or "",
        format_version=metadata["format-version"],
        rows=totals.rows,
        files=totals.files,
        bytes=totals.bytes,
        delete_files=totals.delete_files,
        snapshots=len(metadata.get("snapshots") or ()),
        last_commit_ms=head["timestamp-ms"] if head else None,
        head_snapshot_id=head["snapshot-id"] if head else None,
        owner=next((properties[key] for key in OWNERS if properties.get(key)), ""),
        writer=writer,
        adopted=is_adopted(properties),
        comment=properties.get("comment", ""),
        partition_spec=_partition_spec(metadata, names=column_names(schema)),
        columns=tuple(map(column_of, schema["fields"])),
    )


def is_adopted(properties: Mapping[str, str]) -> bool:
    """Whether a table is ours to change: made by one of our assets, or adopted; else foreign."""
    return bool(properties.get(WRITER)) or properties.get(ADOPTED) == "true"


def summary_totals(snapshot: Json) -> Totals | None:
    """The totals in a snapshot's summary; None when one is missing (they are optional)."""
    summary = snapshot.get("summary") or {}
    try:
        records, files, size, deletes, positions = (
            int(summary[f"total-{key}"])
            for key in ("records", "data-files", "files-size", "delete-files", "position-deletes")
        )
    except (KeyError, ValueError):
        return None
    return Totals(max(records - positions, 0), files, size, deletes)


def _head(metadata: Json) -> Json | None:
    current = metadata.get("current-snapshot-id")
    if current in (None, -1):  # -1: "none" in metadata of older Java versions
        return None
    for snapshot in metadata.get("snapshots") or ():
        if snapshot["snapshot-id"] == current:
            return snapshot
    raise ValueError(f"current snapshot {current} is not among the snapshots")


def current_schema(metadata: Json) -> Json:
    current = metadata.get("current-schema-id")
    for schema in metadata.get("schemas") or ():
        if schema.get("schema-id") == current:
            return schema
    if "schema" in metadata:  # version 1 keeps the current one here
        return metadata["schema"]
    raise ValueError(f"current schema {current} is not among the schemas")


def column_of(field: Json) -> Column:
    return Column(
        name=field["name"],
        type=type_text(field["type"]),
        required=bool(field.get("required")),
        doc=field.get("doc") or "",
    )


def type_text(kind: str | Json) -> str:
    """``long``, ``list<string>``, ``map<string, int>``, ``struct<a: int, b: string>``."""
    if isinstance(kind, str):
        return kind
    match kind["type"]:
        case "struct":
            inner = ", ".join(f"{f['name']}: {type_text(f['type'])}" for f in kind["fields"])
            return f"struct<{inner}>"
        case "list":
            return f"list<{type_text(kind['element'])}>"
        case "map":
            return f"map<{type_text(kind['key'])}, {type_text(kind['value'])}>"
        case other:
            return str(other)


def column_names(schema: Json) -> dict[int, str]:
    """Full name by field id; nested fields may be partitioned by, too."""
    return dict(_names(schema, prefix=""))


def _names(kind: str | Json, *, prefix: str) -> Iterator[tuple[int, str]]:
    if isinstance(kind, str) or kind.get("type") != "struct":
        return
    for field in kind["fields"]:
        yield field["id"], f"{prefix}{field['name']}"
        yield from _names(field["type"], prefix=f"{prefix}{field['name']}.")


def _partition_spec(metadata: Json, *, names: Mapping[int, str]) -> str:
    fields = metadata.get("partition-spec") or ()
    for spec in metadata.get("partition-specs") or ():
        if spec["spec-id"] == metadata.get("default-spec-id"):
            fields = spec["fields"]
    return ", ".join(
        _partition_field(field, names=names) for field in fields if field["transform"] != "void"
    )


def _partition_field(field: Json, *, names: Mapping[int, str]) -> str:
    sources = field.get("source-ids") or [field["source-id"]]
    columns = ", ".join(names.get(source, field["name"]) for source in sources)
    return columns if field["transform"] == "identity" else f"{field['transform']}({columns})"
