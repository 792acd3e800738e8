"""`dp trash`: what maintenance took out of use, until its window closes."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.ports.maintenance_trash import TrashRecord
    from dp_assets.usecases.maintenance.record_emptying import Emptied

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="From 'dp trash list'.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Files that maintenance took out of use, kept until their window closes.",
        rich_markup_mode=None,
    )
    verbs = {
        "list": (list_records, ("dp trash list", "dp trash list --json")),
        "restore": (restore, ("dp trash restore 20261121-163000-1a2b3c4d",)),
        "empty": (empty, ("dp trash empty --dry-run", "dp trash empty --now --yes")),
    }
    for name, (function, shown) in verbs.items():
        group.command(name, epilog=examples(*shown))(function)
    app.add_typer(group, name="trash", rich_help_panel=Panel.MAINTAIN)


def list_records(*, as_json: JsonFlag = False) -> None:
    """List what is in the trash, whose it was, and until when it stays."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.maintenance.trash import open_trash

    out = Output(json=as_json)
    with opened(doing="dp trash list") as lake:
        records = open_trash(lake).all()
    out.table(
        "",
        ("id", "table", "operation", "state", "since", "until", "files", "bytes", "side table"),
        [
            (
                record.id,
                record.table,
                record.operation,
                record.state,
                cells.time(record.at_ms),
                cells.time(record.until_ms),
                cells.count(len(record.files)),
                cells.size(record.bytes),
                record.side_table or None,
            )
            for record in records
        ],
    )


def restore(record_id: IdArgument, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Take a record out: an expiry comes back as a read-only side table, other files just stay."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.maintenance.trash import open_trash, take_out

    out = Output(json=as_json)
    with opened(doing="dp trash restore") as lake:
        record = open_trash(lake).get(record_id)
        _show(out, record)
        confirm(f"take {record_id} out of the trash?", yes=yes)
        done = take_out(lake, record_id)
    if done.side_table:
        out.line(f"{done.side_table} shows {record.table} as it was before; drop it when done")
    else:
        there = len(record.files) - done.missing
        out.line(f"{there} files of {record.table} are out of the trash and stay")
        if done.missing:
            out.line(f"  {done.missing} others are gone already")
    out.document({"id": record_id, "table": record.table, "side_table": done.side_table or None})


def empty(
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for windows to close.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted.")
    ] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete files whose window has closed, after looking that no table and no hold needs them."""
    from dp_assets.core.units import now_ms
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.maintenance.emptying import empty_trash

    out = Output(json=as_json)
    with opened(doing="dp trash empty") as lake:
        found = empty_trash(lake, now_ms=now_ms(), at_once=now, dry_run=True)
        if found and not dry_run:
            files, size = sum(one.files for one in found), sum(one.bytes for one in found)
            confirm(f"delete {files:,} files ({_bytes(size)}) for ever?", yes=yes)
            found = empty_trash(lake, now_ms=now_ms(), at_once=now)
    _show_emptied(out, found, done=not dry_run)
    if any(one.why for one in found):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(out: Output, record: "TrashRecord") -> None:
    if out.json:
        return
    out.facts(
        {
            "table": record.table,
            "operation": record.operation,
            "when": cells.time(record.at_ms),
            "snapshots": cells.count(len(record.snapshots)),
            "files": cells.count(len(record.files)),
            "bytes": cells.size(record.bytes),
        }
    )


def _show_emptied(out: Output, found: "Sequence[Emptied]", *, done: bool) -> None:
    what = "deleted" if done else "would be deleted"
    out.table(
        "",
        ("id", "table", "files", "bytes", "still named", "kept because"),
        [
            (
                one.record.id,
                one.record.table,
                cells.count(one.files),
                cells.size(one.bytes),
                cells.count(one.named),
                one.why or None,
            )
            for one in found
        ],
    )
    files, size = sum(one.files for one in found), sum(one.bytes for one in found)
    out.line(f"{files:,} files {what}, {_bytes(size)}")


def _bytes(size: int) -> str:
    from dp_assets.core.units import format_bytes

    return format_bytes(size)
