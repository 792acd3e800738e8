"""`dp fsck`: is everything that the tables need there, and what breaks if not."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.restore import KeyFlag, RepositoryFlag
from dp_assets.cli.transfer import watched
from dp_assets.core.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.domains.lake.fsck import Finding, Fsck
    from dp_assets.settings import Settings

SHOWN = 3  # names in one cell for people; JSON has them all
COLUMNS = ("table", "problem", "kind", "file", "what", "refs", "snapshots", "rows lost")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "fsck",
        rich_help_panel=Panel.RECOVER,
        epilog=examples(
            "dp fsck", "dp fsck raw.flights --deep", "dp fsck raw.flights raw.planes --json"
        ),
    )(fsck)


def fsck(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="TABLE", help="Default: all tables.")
    ] = None,
    *,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Read every file: row counts, and the same bytes as in the repository."
        ),
    ] = False,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Check that every file of every snapshot is there; ends with 1 and says what breaks if not."""
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.backup.checking import fsck as check

    out = Output(json=as_json)
    with opened(doing="dp fsck") as lake, watched(out) as progress:
        source, reason = None, ""
        if deep:
            source, reason = repository_or_reason(lake.settings, repository, key or ())
        found = check(lake, names or (), deep=deep, repository=source, progress=progress)
    _show(out, found, reason)
    if found.findings:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def repository_or_reason(
    settings: "Settings", url: str, keys: "Sequence[Path]"
) -> "tuple[Repository | None, str]":
    """The repository, else why it cannot be used; one that was named has to be there."""
    from contextlib import suppress
    from itertools import islice

    from dp_assets.cli.restore import open_repository
    from dp_assets.domains.backup.points import Points
    from dp_assets.ports.object_store import DamagedObjectError
    from dp_assets.usecases.backup.restore_planning import newest_first

    try:
        found = open_repository(settings, url, keys)
        points = Points(found)
        for record in islice(newest_first(points), 1):
            with suppress(DamagedObjectError):
                points.manifest(record)  # without its key nothing can be compared
    except PermanentError as error:
        if url or keys:
            raise
        return None, error.what
    return found, ""


def show_findings(out: Output, title: str, findings: "Iterable[Finding]") -> None:
    """A table of findings for people."""
    out.table(title, COLUMNS, [_row(finding) for finding in findings])


def finding_document(finding: "Finding") -> dict[str, object]:
    """A finding in JSON."""
    from dataclasses import asdict

    return asdict(finding)


def _show(out: Output, found: "Fsck", reason: str) -> None:
    if out.json:
        out.document(
            {
                "whole": not found.findings,
                "tables": found.tables,
                "files": found.files,
                "bytes": found.bytes,
                "compared": found.compared,
                "not_compared": reason or None,
                "unusable": list(found.unusable),
                "findings": [finding_document(finding) for finding in found.findings],
            }
        )
        return
    if found.findings:
        show_findings(out, f"{len(found.findings)} found", found.findings)
        for hint in dict.fromkeys(finding.hint for finding in found.findings if finding.hint):
            out.line(f"-> {hint}")
    for problem in found.unusable:
        out.line(f"not usable in the repository: {problem}")
    if reason:
        out.line(f"not compared with a repository: {reason}")
    out.facts(
        {
            "tables": cells.count(found.tables),
            "files": cells.count(found.files),
            "size": cells.size(found.bytes),
            "compared with the repository": cells.count(found.compared),
            "found": len(found.findings),
        }
    )


def _row(finding: "Finding") -> tuple[Cell, ...]:
    rows = finding.rows
    most = "" if finding.rows_exact else "at most "
    return (
        finding.table,
        finding.problem.value,
        finding.kind.value if finding.kind else "-",
        finding.path or "-",
        finding.what,
        _some(finding.refs),
        _some([str(snapshot) for snapshot in finding.snapshots]),
        Shown(rows, "unknown" if rows is None else f"{most}{rows:,}"),
    )


def _some(names: "Sequence[str]") -> Shown:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    text = ", ".join(names[:SHOWN]) + more
    return Shown(text, text or "-")
