"""`dp dump`: the catalog itself, in a folder, proven to come back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Advance, Cell, JsonFlag, Output, Panel, Shown, examples
from dp_assets.core.errors import ConfigurationError

if TYPE_CHECKING:
    from dp_assets.adapters.metastore.dump_store import StoredDump
    from dp_assets.ports.metastore import DumpCheck, Progress

COLUMNS = ("dump", "kind", "taken at", "tables", "size", "restores", "problem")
NEWEST = "newest"
PERMILLE = 1000  # a bar has a fixed length; what a dump has to do is known only on the way


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "dump",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples(
            "dp dump",
            "dp dump --list",
            "dp dump --check .lakehouse/dumps/20130102T030405Z-sqlite",
            "dp dump --restore newest --to sqlite:////srv/new/catalog.db",
        ),
    )(dump)


def dump(
    *,
    listing: Annotated[bool, typer.Option("--list", help="Show the dumps, oldest first.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Load that dump into a scratch database and compare."),
    ] = None,
    restore: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Bring that dump back at the address --to."),
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="URI", help="An address where no catalog is yet.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Dump the catalog and prove that the dump restores; list, check and restore dumps."""
    out = Output(json=as_json)
    if sum([listing, check is not None, restore is not None]) > 1:
        raise ConfigurationError("--list, --check and --restore are three things", hint="name one")
    if bool(to) != (restore is not None):
        raise ConfigurationError(
            "--restore and --to belong together", hint="dp dump --restore FOLDER --to URI"
        )
    if listing:
        _list(out)
    elif check:
        _check(out, check)
    elif restore:
        _restore(out, restore, to)
    else:
        _dump(out)


def _dump(out: Output) -> None:
    from dp_assets.core.units import format_bytes, format_seconds, iso_utc
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.dumping import dump as make_dump

    with opened(doing="dp dump") as lake, out.progress(PERMILLE, "dumping the catalog") as advance:
        done = make_dump(lake, on_progress=_permille(advance))
    dumped = done.dumped
    if dumped.skew_ms:
        out.line(
            f"the catalog moved on while it was read: {len(dumped.skewed)} tables within "
            f"{dumped.skew_ms} ms"
        )
    facts: dict[str, Cell] = {
        "dump": str(done.folder),
        "kind": dumped.kind.value,
        "taken at": iso_utc(dumped.taken_at_ms),
        "tables": len(dumped.pointers),
        "rows": sum(dumped.rows.values()),
        "size": Shown(dumped.size, format_bytes(dumped.size)),
        "cut": dumped.cut,
        "skew ms": dumped.skew_ms,
        "seconds": Shown(done.seconds, format_seconds(done.seconds)),
        "check seconds": Shown(done.check_seconds, format_seconds(done.check_seconds)),
        "removed": Shown(len(done.removed), ", ".join(done.removed) or "nothing"),
    }
    _answer(out, facts, done.check)


def _check(out: Output, folder: Path) -> None:
    from dp_assets.usecases.dumping import check_dump

    found = check_dump(_find(folder))
    facts = {"tables": found.pointers, "rows": found.rows, "loaded into": found.scratch}
    _answer(out, {"dump": str(_find(folder)), **facts}, found)


def _answer(out: Output, facts: dict[str, Cell], check: "DumpCheck") -> None:
    """The facts and the verdict; a dump that does not restore is a failed check."""
    restores = "yes" if check.good else "no: " + "; ".join(check.problems)
    out.facts({**facts, "restores": Shown(check.good, restores)})
    if not check.good:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _list(out: Output) -> None:
    from dp_assets.settings import load_settings
    from dp_assets.usecases.dumping import list_dumps

    rows = [_row(stored) for stored in list_dumps(load_settings())]
    out.table("", COLUMNS, rows)


def _row(stored: "StoredDump") -> tuple[Cell, ...]:
    from dp_assets.cli import cells

    record, check = stored.record, stored.check
    problems = "; ".join(check.problems) if check else stored.problem
    return (
        stored.folder.name,
        record.kind.value if record else None,
        cells.time(stored.taken_at_ms),
        record.pointers if record else None,
        cells.size(record.size if record else None),
        check.good if check else None,
        problems or None,
    )


def _restore(out: Output, folder: Path, to: str) -> None:
    from dp_assets.core.secrets import redact
    from dp_assets.core.units import iso_utc
    from dp_assets.usecases.dumping import restore_dump

    done = restore_dump(_find(folder), to)
    out.facts(
        {
            "restored to": redact(to),
            "catalog": done.catalog,
            "tables": done.tables,
            "as of": iso_utc(done.taken_at_ms),
            "left out": Shown(len(done.left_out), ", ".join(done.left_out) or "nothing"),
        }
    )
    out.line(
        "\nit still says that it is the original: what destroys refuses there until"
        " 'dp init --new-identity'"
    )


def _find(folder: Path) -> Path:
    """A dump by its folder, by its name alone among this lakehouse's, or the newest good one."""
    if folder.is_dir():
        return folder.absolute()
    if str(folder) == NEWEST:
        return _newest()
    if folder.name == str(folder):
        from dp_assets.settings import load_settings
        from dp_assets.usecases.dumping import dumps_folder

        named = dumps_folder(load_settings()) / folder
        if named.is_dir():
            return named
    raise ConfigurationError(f"there is no dump {folder}", hint="'dp dump --list' shows them")


def _newest() -> Path:
    from dp_assets.settings import load_settings
    from dp_assets.usecases.dumping import list_dumps

    good = [d.folder for d in list_dumps(load_settings()) if d.check and d.check.good]
    if not good:
        raise ConfigurationError("no dump was checked good", hint="'dp dump --list' shows them")
    return good[-1]


def _permille(advance: Advance) -> "Progress":
    """Steps of an unknown and changing number, on a bar of fixed length that never goes back."""
    shown = 0

    def on_progress(done: int, total: int) -> None:
        nonlocal shown
        reached = PERMILLE * done // max(total, 1)
        if reached > shown:
            advance(reached - shown)
            shown = reached

    return on_progress
