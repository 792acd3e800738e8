"""Findings about what killed processes left behind."""

from collections.abc import Iterator, Sequence

from dp_assets.core.units import DAY_MS, iso_utc
from dp_assets.domains.lake.doctor import Area, Finding, Severity, counted, some
from dp_assets.ports.doctor import HeldLease, SpooledRows, TemporaryFile

STALE_MS = DAY_MS  # older than this, a temporary file or a waiting row was forgotten


def check_leftovers(
    *,
    files: Sequence[TemporaryFile],
    spooled: Sequence[SpooledRows],
    leases: Sequence[HeldLease],
    now_ms: int,
) -> Iterator[Finding]:
    """What a killed process left behind; a single OK when there is nothing."""
    found = [
        *_temporary(files, now_ms),
        *(finding for rows in spooled for finding in _spooled(rows, now_ms)),
        *(_lease(lease) for lease in leases if lease.is_owner_gone),
    ]
    yield from found or [Finding(Severity.OK, Area.LEFTOVERS, "crashes", "nothing left behind")]


def _temporary(files: Sequence[TemporaryFile], now_ms: int) -> Iterator[Finding]:
    stale = [f.path for f in files if now_ms - f.modified_ms > STALE_MS]
    if stale:
        what = f"{len(stale)} older than 24 h: {some(stale)}"
        hint = "a write that was killed left them; they may be deleted"
        yield Finding(Severity.WARN, Area.LEFTOVERS, "temporary files", what, hint)
    if len(stale) < len(files):
        what = f"{len(files) - len(stale)} of the last 24 h"
        hint = "nothing to do: a run may still need them"
        yield Finding(Severity.OK, Area.LEFTOVERS, "temporary files", what, hint)


def _spooled(rows: SpooledRows, now_ms: int) -> Iterator[Finding]:
    subject = f"spool of {rows.table}"
    if rows.damaged:
        what = f"damaged: {some(rows.damaged)}"
        hint = "read what they hold, add by hand what is missing in the table, then delete them"
        yield Finding(Severity.WARN, Area.LEFTOVERS, subject, what, hint)
    if rows.oldest_ms is not None:
        stale = now_ms - rows.oldest_ms > STALE_MS
        yield Finding(
            Severity.WARN if stale else Severity.OK,
            Area.LEFTOVERS,
            subject,
            f"{counted(rows.rows, 'row')} waiting to be committed since {iso_utc(rows.oldest_ms)}",
            "materialize anything to flush them, and look why it was not done"
            if stale
            else "nothing to do: the next run commits them",
        )


def _lease(lease: HeldLease) -> Finding:
    what = f"held until {iso_utc(lease.expires_at_ms)} by a process that ended: {lease.owner}"
    hint = "nothing to do: the next one who needs it takes it over at once"
    return Finding(Severity.OK, Area.LEFTOVERS, f"lease {lease.name}", what, hint)
