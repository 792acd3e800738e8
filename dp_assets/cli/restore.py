"""`dp restore`: tables out of the repository into a lakehouse, this one or any other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.confirm import YesFlag, confirm
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import JsonFlag, Output, Panel, examples
from dp_assets.cli.transfer import transfer
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.backup.restore_plan import Refused, RestorePlan, Wanted
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.restore_target import Target
    from dp_assets.usecases.backup.restoring import Restored

PointFlag = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", help="The recovery point; default: the newest complete one."),
]
AsOfFlag = Annotated[
    str, typer.Option(metavar="TIME", help="The newest point not later; UTC without offset.")
]
RepositoryFlag = Annotated[
    str, typer.Option(metavar="URL", help="The repository; default: that of lakehouse.yaml.")
]
KeyFlag = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="FILE", help="A file of a private age key; may be repeated."),
]
ToFlag = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE",
        help="A folder, s3://bucket/prefix, a catalog's address or a lakehouse.yaml; default:"
        " this lakehouse. A catalog and a place for the files may both be named.",
    ),
]
RenameFlag = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="Other names, e.g. 'raw.*=restored.*'."),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "restore",
        rich_help_panel=Panel.RECOVER,
        epilog=examples(
            "dp restore --to /srv/restored",
            "dp restore --table 'raw.*' --rename 'raw.*=restored.*'",
            "dp restore --repository s3://bucket/backups --key me.key --to /srv/restored",
            "dp restore --as-of 2013-02-01T12:00:00 --to s3://other/lake --dry-run",
        ),
    )(restore)


def restore(
    *,
    to: ToFlag = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Which tables; may be repeated. Default: everything."),
    ] = None,
    rename: RenameFlag = None,
    point: PointFlag = None,
    as_of: AsOfFlag = "",
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a restore that was interrupted.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Put restored tables in the place of existing ones."),
    ] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring tables back, somewhere else or beside what is there; overwrites nothing."""
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.restore_target import find_target
    from dp_assets.usecases.backup.restoring import restore as carry_out

    out, settings = Output(json=as_json), load_settings()
    target = find_target(to or (), settings)
    opened = open_repository(settings, repository, key or ())
    wanted = wanted_of(point, as_of, tables=table, renames=rename, replace=replace)
    plan = _plan(opened, target, wanted, resume=resume)
    _show_plan(out, plan, target)
    if dry_run or not plan.tables:
        out.document(_document(plan, None))
        _end(plan.refused)
        return
    _ask(plan, yes=yes)
    with transfer(out, plan.bytes, "restoring") as advance:
        done = carry_out(opened, target, plan, resume=resume, on_bytes=advance)
    _show(out, done, target)
    out.document(_document(plan, done))
    _end(done.refused)


def open_repository(settings: "Settings", url: str, keys: "Sequence[Path]") -> "Repository":
    """The one that was named, else that of the settings."""
    from dp_assets.usecases.backup import repositories

    if url:
        return repositories.open_at(
            url, key_files=keys, properties=settings.catalog.plain_properties()
        )
    return repositories.open_for_reading(settings, key_files=keys)


def wanted_of(
    point: int | None,
    as_of: str,
    *,
    tables: "Sequence[str] | None" = None,
    renames: "Sequence[str] | None" = None,
    replace: bool = False,
) -> "Wanted":
    """The flags as one value. Raises ConfigurationError."""
    from dp_assets.domains.backup.renaming import Rename
    from dp_assets.domains.backup.restore_plan import Wanted
    from dp_assets.domains.lake.time_travel import parse_as_of

    if point is not None and as_of:
        raise ConfigurationError("--point and --as-of are two answers", hint="name one")
    at_ms = parse_as_of(as_of).at_ms if as_of else None
    if as_of and at_ms is None:
        raise ConfigurationError(
            f"--as-of {as_of}: not a time", hint="write it as 2013-01-31T12:00:00"
        )
    return Wanted(
        point=point,
        as_of_ms=at_ms,
        tables=tuple(tables or ()),
        renames=tuple(Rename.parse(text) for text in renames or ()),
        replace=replace,
    )


def _plan(
    repository: "Repository", target: "Target", wanted: "Wanted", *, resume: bool
) -> "RestorePlan":
    """A new plan, or the one that was begun."""
    from dp_assets.usecases.backup.restore_planning import plan_restore
    from dp_assets.usecases.backup.restoring import begun_restore

    if resume:
        return begun_restore(repository, target, wanted)
    return plan_restore(repository, target, wanted)


def _show_plan(out: Output, plan: "RestorePlan", target: "Target") -> None:
    if out.json:
        return
    out.line(
        f"recovery point {plan.point} of {cells.time(plan.cut_at_ms)} to {target.address}: "
        f"{_tables(plan)}, {plan.files:,} files"
    )
    rows = [
        (
            str(one.source),
            str(one.target),
            cells.count(one.files),
            cells.size(one.bytes),
            one.location,
            _note(one.uuid != one.source_uuid, one.replaces),
        )
        for one in plan.tables
    ]
    out.table("", ("table", "becomes", "files", "size", "in", "note"), rows)
    _show_refused(out, plan.refused)


def _note(new_uuid: bool, replaces: str) -> str:
    said = ["a copy beside the original, with a uuid of its own"] if new_uuid else []
    return "; ".join([*said, f"replaces {replaces}"] if replaces else said)


def _ask(plan: "RestorePlan", *, yes: bool) -> None:
    replaced = [str(table.target) for table in plan.tables if table.replaces]
    if replaced:
        confirm(
            f"{', '.join(replaced)}: the restored table takes the place of the one that is there. "
            "Its files stay, its pointer is recorded. Go on?",
            yes=yes,
        )


def _show(out: Output, done: "Restored", target: "Target") -> None:
    if out.json:
        return
    rows = [
        (
            str(one.plan.target),
            cells.count(one.plan.rows),
            cells.count(one.plan.snapshots),
            cells.count(one.plan.files),
            cells.size(one.plan.bytes),
            round(one.seconds, 2),
        )
        for one in done.tables
    ]
    out.table("restored", ("table", "rows", "snapshots", "files", "size", "seconds"), rows)
    _show_refused(out, done.refused)
    for view in done.views:
        out.line(f"not restored: view {view}: this catalog does not take it; the point has its SQL")
    if target.folder:
        out.line(f"use it with: dp --config {target.folder / 'lakehouse.yaml'} tables")


def _show_refused(out: Output, refused: "Sequence[Refused]") -> None:
    for one in refused:
        out.line(f"not restored: {one.table}: {one.why}")


def _tables(plan: "RestorePlan") -> str:
    from dp_assets.core.units import format_bytes

    number = len(plan.tables)
    return f"{number:,} table{'' if number == 1 else 's'}, {format_bytes(plan.bytes)}"


def _end(refused: "Sequence[Refused]") -> None:
    if refused:
        raise typer.Exit(ExitCode.OPERATION_FAILED)


def _document(plan: "RestorePlan", done: "Restored | None") -> dict[str, object]:
    seconds = {str(one.plan.target): one.seconds for one in done.tables} if done else {}
    return {
        "point": plan.point,
        "cut_at": cells.time(plan.cut_at_ms),
        "done": done is not None,
        "seconds": done.seconds if done else None,
        "tables": [
            {
                "table": str(one.source),
                "restored_as": str(one.target),
                "rows": one.rows,
                "snapshots": one.snapshots,
                "files": one.files,
                "size": one.bytes,
                "location": one.location,
                "metadata": one.pointer,
                "uuid": one.uuid,
                "replaces": one.replaces or None,
                "seconds": seconds.get(str(one.target)),
            }
            for one in plan.tables
        ],
        "refused": [
            {"table": one.table, "why": one.why} for one in (done.refused if done else plan.refused)
        ],
        "views_not_restored": list(done.views) if done else [],
    }
