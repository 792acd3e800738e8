"""`dp table NAME`: one table in detail, and its history."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dp_assets.ports.details import Field, SnapshotRow, TableDetails

HISTORY = (
    "snapshot",
    "committed",
    "operation",
    "added",
    "removed",
    "rows",
    "partition",
    "run",
    "refs",
)
MAX_BAR = 30  # characters


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "table",
        rich_help_panel=Panel.LOOK,
        epilog=examples("dp table raw.flights", "dp table raw.flights --history"),
    )(table)


def table(
    name: Annotated[str, typer.Argument(help="namespace.table")],
    *,
    history: Annotated[
        bool, typer.Option("--history", help="Its snapshots, newest first.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show one table: schema, partitions, files and their sizes, properties, branches, tags."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.describing import describe

    out = Output(json=as_json)
    with opened(doing="dp table") as lake:
        found = describe(lake, name)
    if history:
        out.table("", HISTORY, map(_history_row, found.history.snapshots))
    elif as_json:
        out.document(_document(found))
    else:
        _show(out, found)


def _show(out: Output, found: "TableDetails") -> None:
    out.facts(_facts(found))
    columns = ("id", "column", "type", "required", "doc")
    out.table("\nSchema", columns, [_schema_row(field) for field in found.fields])
    if found.refs:
        refs = [(ref.name, ref.kind, str(ref.snapshot_id)) for ref in found.refs]
        out.table("\nBranches and tags", ("name", "kind", "snapshot"), refs)
    if found.files.problem:
        out.line(f"\n{found.files.problem}")
    elif found.files.data_bytes:
        columns = ("size", "files", "bytes", "share of files")
        out.table("\nData files by size", columns, _histogram(found.files.data_bytes))
    if found.summary:
        out.table("\nSummary of the current snapshot", ("name", "value"), found.summary.items())
    if found.properties:
        out.table("\nProperties", ("name", "value"), found.properties.items())


def _facts(found: "TableDetails") -> "dict[str, Cell]":
    from dp_assets.domains.lake.listing import standing

    facts = found.facts
    return {
        "table": facts.name,
        "comment": facts.comment or None,
        "is": standing(facts).value,
        "owner": facts.owner or None,
        "uuid": facts.uuid,
        "format": facts.format_version,
        "location": facts.location,
        "metadata": facts.metadata_location,
        "partitioned by": facts.partition_spec or None,
        "sorted by": found.sort_order or None,
        "rows": cells.count(facts.rows),
        "data files": cells.count(facts.files),
        "delete files": cells.count(facts.delete_files),
        "size": cells.size(facts.bytes),
        "snapshots": cells.count(facts.snapshots),
        "current snapshot": facts.head_snapshot_id,
        "last commit": cells.time(facts.last_commit_ms),
    }


def _schema_row(field: "Field") -> tuple[Cell, ...]:
    column = field.column
    return field.field_id, column.name, column.type, column.required, column.doc or None


def _histogram(sizes_bytes: "Sequence[int]") -> "Iterator[tuple[Cell, ...]]":
    from dp_assets.core.units import format_bytes
    from dp_assets.domains.lake.sizes import histogram

    buckets = histogram(sizes_bytes)
    most = max((bucket.files for bucket in buckets), default=1)
    for bucket in buckets:
        low, high = bucket.from_bytes, bucket.below_bytes
        name = f"{format_bytes(low)} to {format_bytes(high)}" if high else f"{format_bytes(low)} up"
        bar = "#" * -(-bucket.files * MAX_BAR // most)
        yield name, cells.count(bucket.files), cells.size(bucket.bytes), bar


def _history_row(row: "SnapshotRow") -> tuple[Cell, ...]:
    return (
        str(row.snapshot_id),
        cells.time(row.committed_ms),
        row.operation or None,
        cells.count(row.added_rows),
        cells.count(row.removed_rows),
        cells.count(row.rows),
        row.partition or None,
        row.run or None,
        ", ".join(row.refs) or None,
    )


def _document(found: "TableDetails") -> dict[str, object]:
    from dataclasses import asdict

    from dp_assets.domains.lake.sizes import histogram

    names = {name.replace(" ", "_"): _plain(cell) for name, cell in _facts(found).items()}
    return {
        **names,
        "schema": [{"id": f.field_id, **f.column._asdict()} for f in found.fields],
        "refs": [asdict(ref) for ref in found.refs],
        "data_files_by_size": [asdict(bucket) for bucket in histogram(found.files.data_bytes)],
        "summary": dict(found.summary),
        "properties": dict(found.properties),
    }


def _plain(cell: Cell) -> object:
    return cell.value if isinstance(cell, Shown) else cell
