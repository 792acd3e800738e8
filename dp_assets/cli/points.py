"""`dp points`: which recovery points there are, what one holds, what two differ in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples

if TYPE_CHECKING:
    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import PointManifest, PointRecord
    from dp_assets.usecases.backup.listing_points import ListedPoint

RepositoryFlag = Annotated[
    str, typer.Option(metavar="URL", help="The repository; default: that of lakehouse.yaml.")
]
KeyFlag = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="FILE", help="A file of a private age key; may be repeated."),
]
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="See 'dp points'.")]
COLUMNS = (
    "point",
    "when",
    "age",
    "tables",
    "files",
    "size",
    "added",
    "complete",
    "proven",
    "pinned",
    "problem",
)
TABLE_COLUMNS = ("table", "rows", "files", "size", "snapshots", "added", "skew ms", "problem")
DIFF_COLUMNS = ("table", "change", "rows", "size", "files", "snapshots")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Recovery points: what there is, what is in one, what differs.")
    group.callback(invoke_without_command=True)(points)
    group.command("show", epilog=examples("dp points show 7"))(show)
    group.command("diff", epilog=examples("dp points diff 6 7"))(diff)
    app.add_typer(group, name="points", rich_help_panel=Panel.BACK_UP)


def points(
    context: typer.Context,
    *,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """List the recovery points, oldest first."""
    if context.invoked_subcommand:
        return
    from dp_assets.core.units import now_ms
    from dp_assets.usecases.backup.listing_points import list_points

    out = Output(json=as_json)
    listed = list_points(_opened(repository, key))
    shown = as_json or any(point.problem for point in listed)
    columns = COLUMNS if shown else COLUMNS[:-1]
    rows = [_row(point, now_ms=now_ms())[: len(columns)] for point in listed]
    out.table("", columns, rows)


def show(
    number: NumberArgument,
    *,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Show one recovery point, table by table."""
    from dp_assets.usecases.backup.listing_points import read_point

    out = Output(json=as_json)
    record, manifest = read_point(_opened(repository, key), number)
    if as_json:
        out.document(_document(record, manifest))
        return
    out.facts(_facts(record, manifest))
    rows = [
        (
            line.table,
            cells.count(line.rows),
            cells.count(line.files),
            cells.size(line.bytes),
            cells.count(line.snapshots),
            cells.size(line.copied_bytes),
            line.skew_ms,
            line.problem or None,
        )
        for line in manifest.tables
    ]
    out.line("")
    out.table("", TABLE_COLUMNS, rows)


def diff(
    earlier: NumberArgument,
    later: NumberArgument,
    *,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the tables that differ between two points; differences are later minus earlier."""
    from dp_assets.domains.backup.point_diff import diff_points
    from dp_assets.usecases.backup.listing_points import read_point

    out = Output(json=as_json)
    opened = _opened(repository, key)
    found = diff_points(read_point(opened, earlier)[1], read_point(opened, later)[1])
    rows = [
        (
            one.table,
            one.change.value,
            _signed(one.rows),
            _signed_size(one.bytes),
            _signed(one.files),
            _signed(one.snapshots),
        )
        for one in found
    ]
    out.table("", DIFF_COLUMNS, rows)


def _opened(url: str, keys: list[Path] | None) -> "Repository":
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.repositories import open_at, open_for_reading

    if url:
        return open_at(url, key_files=keys or ())
    return open_for_reading(load_settings(), key_files=keys or ())


def _row(point: "ListedPoint", *, now_ms: int) -> tuple[Cell, ...]:
    from dp_assets.core.units import format_seconds

    record = point.record
    if record is None:
        return (point.number, *[None] * 7, point.proven, point.pinned, point.problem)
    age_s = max(now_ms - record.cut_at_ms, 0) / 1000
    return (
        point.number,
        cells.time(record.cut_at_ms),
        Shown(round(age_s), format_seconds(round(age_s))),
        cells.count(record.tables),
        cells.count(point.files),
        cells.size(record.bytes),
        cells.size(record.copied_bytes),
        record.complete,
        point.proven,
        point.pinned,
        point.problem or None,
    )


def _facts(record: "PointRecord", manifest: "PointManifest") -> dict[str, Cell]:
    from dp_assets.core.units import format_seconds

    return {
        "point": record.number,
        "complete": record.complete,
        "cut at": cells.time(manifest.cut_at_ms),
        "cut": manifest.cut,
        "skew ms": manifest.skew_ms,
        "took": Shown(record.seconds, format_seconds(record.seconds)),
        "lakehouse": manifest.lakehouse_id,
        "catalog": manifest.catalog_address,
        "warehouse": manifest.warehouse,
        "history": manifest.history.value,
        "include": ", ".join(manifest.include),
        "exclude": ", ".join(manifest.exclude) or None,
        "views": len(manifest.views),
        "dump": manifest.dump.kind if manifest.dump else None,
        "dagster files": len(manifest.dagster),
        "size": cells.size(record.bytes),
        "added": cells.size(record.copied_bytes),
        "made by": manifest.software,
    }


def _document(record: "PointRecord", manifest: "PointManifest") -> dict[str, object]:
    from dataclasses import asdict

    public = asdict(record)
    del public["references"], public["objects"]
    return {"record": public, "manifest": asdict(manifest)}


def _signed(value: int | None) -> Cell:
    return value if value is None else Shown(value, f"{value:+,}" if value else "0")


def _signed_size(value: int) -> Cell:
    from dp_assets.core.units import format_bytes

    sign = "-" if value < 0 else "+"
    return Shown(value, f"{sign}{format_bytes(abs(value))}" if value else "0 B")
