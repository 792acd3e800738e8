"""`dp drill`: a recovery point restored for a trial, and the proof that it is what was saved."""

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.restore import KeyFlag, PointFlag, RepositoryFlag, open_repository
from dp_assets.cli.transfer import transfer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dp_assets.domains.backup.proving import TableProof
    from dp_assets.domains.backup.restore_plan import RestorePlan
    from dp_assets.usecases.backup.drilling import Drilled, Watch

RESTORED = ("table", "rows", "restored", "snapshots", "files")
COLUMNS = (*RESTORED, "content", "source", "engines", "verdict")
HASH_DIGITS = 12


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "drill",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples(
            "dp drill",
            "dp drill --point 7 --everything",
            "dp drill --table 'raw.*' --keep",
            "dp drill --repository s3://bucket/backups --key me.key",
        ),
    )(drill)


def drill(
    *,
    point: PointFlag = None,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Engines read every snapshot, not a sample of them."),
    ] = False,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only these tables; that proves no point as a whole."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the restored copy behind, to look at it.")
    ] = False,
    no_source: Annotated[
        bool,
        typer.Option("--no-source", help="Leave the tables that the point was made of alone."),
    ] = False,
    repository: RepositoryFlag = "",
    key: KeyFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Restore a point into a scratch folder, compare everything, read it with two engines.

    What is still where it was saved from is read there too, and must be the same.
    """
    from dp_assets.adapters.spool import FolderSpool
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.drilling import DrillWanted
    from dp_assets.usecases.backup.drilling import drill as carry_out

    out, settings = Output(json=as_json), load_settings()
    opened = open_repository(settings, repository, key or ())
    wanted = DrillWanted(
        point, tuple(table or ()), everything=everything, keep=keep, source=not no_source
    )
    with ExitStack() as shown:
        done = carry_out(
            settings,
            opened,
            wanted,
            run_id=f"dp drill {os.getpid()}",
            # A repository that was named may be another lakehouse's.
            spool=None if repository else FolderSpool(settings.spool_dir),
            watch=_watch(out, shown),
        )
    _show(out, done)
    out.document(_document(done))
    if not all(proof.verdict.is_as_recorded for proof in done.proofs) or not done.proofs:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _watch(out: Output, shown: ExitStack) -> "Watch":
    """A bar while files come back, then a line with what is being compared."""
    from dp_assets.usecases.backup.drilling import Watch

    advance: list[Callable[[int], None]] = []

    def on_plan(plan: "RestorePlan") -> None:
        advance.append(shown.enter_context(transfer(out, plan.bytes, "restoring")))

    def restored(scratch: "Path") -> None:
        del scratch
        shown.close()

    return Watch(
        on_plan=on_plan,
        on_bytes=lambda size_bytes: advance[0](size_bytes),
        restored=restored,
        doing=_status(out, shown),
    )


def _status(out: Output, shown: ExitStack) -> "Callable[[str], None]":
    if out.json or not sys.stderr.isatty():
        return lambda text: None
    from rich.console import Console
    from rich.text import Text

    status = Console(stderr=True).status("")
    begun: list[str] = []

    def doing(text: str) -> None:
        if not begun:
            shown.enter_context(status)
        begun[:] = [text]
        status.update(Text(text))

    return doing


def _show(out: Output, done: "Drilled") -> None:
    if out.json:
        return
    from dp_assets.core.units import format_bytes, format_seconds

    record = done.record
    out.table("", COLUMNS, [_row(proof) for proof in done.proofs])
    for proof in done.proofs:
        for said in proof.differences:
            out.line(f"{proof.table}: {said}")
    out.line("")
    out.facts(
        {
            "recovery point": record.point,
            "proven": record.proven,
            "engines read": f"{record.scope}; {_read(done)}",
            "recovery time": Shown(record.seconds, format_seconds(record.seconds)),
            "restored": Shown(record.bytes, format_bytes(record.bytes)),
            "age of the point": Shown(done.age_ms / 1000, format_seconds(done.age_ms / 1000)),
            "proof took": Shown(done.proof_seconds, format_seconds(done.proof_seconds)),
            "recorded": "in the repository" if done.recorded else "nowhere: not the whole point",
        }
    )
    if done.scratch:
        out.line(f"the copy is in {done.scratch}; delete that folder when it is no longer needed")
    for warning in done.warnings:
        out.line(f"warning: {warning}")


def _row(proof: "TableProof") -> tuple[Cell, ...]:
    return (
        proof.table,
        cells.count(proof.rows_point),
        cells.count(proof.rows_restored),
        f"{proof.snapshots_restored} of {proof.snapshots_point}",
        f"{proof.files_restored} of {proof.files_point}",
        proof.content.rpartition(":")[2][-HASH_DIGITS:] or None,
        _source(proof),
        "; ".join(proof.engines),
        proof.verdict.value,
    )


def _source(proof: "TableProof") -> str:
    if not proof.source_snapshots:
        return proof.source.value
    return f"{proof.source.value} ({proof.source_snapshots} of {proof.snapshots_point})"


def _read(done: "Drilled") -> str:
    read = sum(proof.snapshots_read for proof in done.proofs)
    return f"{read} of {sum(proof.snapshots_point for proof in done.proofs)} snapshots"


def _document(done: "Drilled") -> dict[str, object]:
    record = done.record
    return {
        "point": record.point,
        "proven": record.proven,
        "scope": record.scope,
        "seed": done.seed,
        "at": cells.time(record.at_ms),
        "recovery_seconds": record.seconds,
        "proof_seconds": done.proof_seconds,
        "age_seconds": done.age_ms / 1000,
        "bytes": record.bytes,
        "recorded": done.recorded,
        "scratch": done.scratch or None,
        "warnings": list(done.warnings),
        "tables": [_table(proof) for proof in done.proofs],
    }


def _table(proof: "TableProof") -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(proof), "verdict": proof.verdict.value}
