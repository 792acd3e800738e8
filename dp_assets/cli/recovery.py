"""`dp recovery`: what could be recovered now, how fast, and what could not; one page."""

from typing import TYPE_CHECKING

import typer

from dp_assets.cli import cells
from dp_assets.cli.exits import ExitCode
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, Shown, examples
from dp_assets.cli.restore import KeyFlag, RepositoryFlag, open_repository

if TYPE_CHECKING:
    from dp_assets.domains.backup.recovery_state import PointSeen, RecoveryState


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "recovery",
        rich_help_panel=Panel.BACK_UP,
        epilog=examples("dp recovery", "dp recovery --json"),
    )(recovery)


def recovery(
    *, repository: RepositoryFlag = "", key: KeyFlag = None, as_json: JsonFlag = False
) -> None:
    """Show the newest and the newest proven point, their ages, and what is not covered."""
    from dp_assets.core.units import now_ms
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.recovery_page import recovery_state

    out, settings = Output(json=as_json), load_settings()
    opened = open_repository(settings, repository, key or ())
    state = recovery_state(settings, opened, now_ms=now_ms())
    if as_json:
        out.document(_document(state))
    else:
        _show(out, state)
    if not state.is_good:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(out: Output, state: "RecoveryState") -> None:
    out.facts(
        {
            "repository": state.repository,
            "points": cells.count(state.points),
            "newest point": _point(state.newest),
            "age": _judged(state.newest.age_ms if state.newest else None, state.rpo_ms, "RPO"),
            "newest proven point": _point(state.proven),
            "last proof": _proof(state),
            "a restore takes": _restore(state),
            "metastore dump": _dump(state),
            "replica": _replica(state),
        }
    )
    if state.incomplete:
        out.line(f"not whole, and no recovery: points {', '.join(map(str, state.incomplete))}")
    if state.not_covered:
        out.line("")
        rows = [(one.table, one.why) for one in state.not_covered]
        out.table("not covered, or not proven by reading", ("table", "why"), rows)
    for warning in state.warnings:
        out.line(f"warning: {warning}")


def _point(point: "PointSeen | None") -> Cell:
    if point is None:
        return Shown(None, "none")
    from dp_assets.core.units import format_bytes

    size = format_bytes(point.bytes)
    when = cells.time(point.cut_at_ms)
    return f"{point.number} of {when}, {point.tables} tables, {size}"


def _judged(found_ms: float | None, limit_ms: int, name: str) -> Cell:
    from dp_assets.core.units import format_seconds

    limit = format_seconds(limit_ms / 1000)
    if found_ms is None:
        return Shown(None, f"unknown: {name} of {limit} is not met")
    verdict = "within" if found_ms <= limit_ms else "BEYOND"
    return Shown(found_ms / 1000, f"{format_seconds(found_ms / 1000)}, {verdict} {name} {limit}")


def _proof(state: "RecoveryState") -> Cell:
    if state.proof is None:
        return Shown(None, "none: no drill has succeeded; 'dp drill' holds one")
    from dp_assets.core.units import format_seconds

    ago = format_seconds(state.proof.age_ms / 1000)
    late = "" if state.proven_within else ", TOO LONG AGO"
    read = "every snapshot" if state.proof.scope == "everything" else "a sample of snapshots"
    return f"{cells.time(state.proof.at_ms)}, {ago} ago{late}; engines read {read}"


def _restore(state: "RecoveryState") -> Cell:
    seconds = state.restore_seconds
    judged = _judged(None if seconds is None else seconds * 1000, state.rto_ms, "RTO")
    measured = "" if seconds is None else " (measured by the last drill, scaled by size)"
    return f"{judged.text if isinstance(judged, Shown) else judged}{measured}"


def _dump(state: "RecoveryState") -> Cell:
    if state.dump is None:
        return Shown(None, "none")
    from dp_assets.core.units import format_seconds

    words = {True: "restores", False: "DOES NOT RESTORE", None: "never tried"}
    age = format_seconds(state.dump.age_ms / 1000)
    return f"{state.dump.name}, {age} old, {words[state.dump.restores]}"


def _replica(state: "RecoveryState") -> Cell:
    if state.replica is None:
        return Shown(None, "none configured")
    if state.replica.problem:
        return f"{state.replica.address}: {state.replica.problem}"
    lag = _judged(state.replica.lag_ms, state.replica.max_lag_ms, "the limit of")
    text = lag.text if isinstance(lag, Shown) else lag
    return f"{state.replica.address}, {state.replica.behind} points behind, lag {text}"


def _document(state: "RecoveryState") -> dict[str, object]:
    from dataclasses import asdict

    return {
        **asdict(state),
        "rpo_within": state.rpo_within,
        "rto_within": state.rto_within,
        "proven_within": state.proven_within,
        "good": state.is_good,
    }
