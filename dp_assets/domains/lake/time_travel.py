"""Which snapshot of a table was current at a time, and what ``--as-of`` means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc
from dp_assets.ports.details import History


@dataclass(frozen=True, slots=True)
class AsOf:
    """A snapshot, or a moment (Unix epoch, UTC, milliseconds); exactly one of the two."""

    snapshot_id: int | None = None
    at_ms: int | None = None


def parse_as_of(text: str) -> AsOf:
    """A snapshot id, or an ISO 8601 date or time; UTC unless it has an offset.

    Raises ConfigurationError for anything else.
    """
    if text.isdecimal():
        return AsOf(snapshot_id=int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"--as-of {text}: neither a snapshot id nor a time",
            hint="write a number from 'dp table NAME --history', or 2013-01-31T12:00:00",
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return AsOf(at_ms=round(aware.timestamp() * 1000))


def choose_snapshots(as_of: AsOf, histories: Mapping[TableId, History]) -> dict[TableId, int]:
    """The snapshot to read of each table; a table that is left out is read as it is now.

    A moment applies to every table, a snapshot id to the one table that has it.

    Raises:
        ConfigurationError: no table has the snapshot, or one had none at that moment.
    """
    if as_of.at_ms is not None:
        at_ms = as_of.at_ms
        return {table: snapshot_at(table, h, at_ms=at_ms) for table, h in histories.items()}
    wanted = as_of.snapshot_id
    having = {
        table: row.snapshot_id
        for table, history in histories.items()
        for row in history.snapshots
        if row.snapshot_id == wanted
    }
    if not having:
        raise ConfigurationError(
            f"no table of the query has snapshot {wanted}", hint=_candidates(histories)
        )
    return having


def snapshot_at(table: TableId, history: History, *, at_ms: int) -> int:
    """The snapshot that was current at ``at_ms``, the moment of its commit included.

    Raises ConfigurationError when there was none yet, or when it has been expired.
    """
    before = [head for head in history.heads if head.from_ms <= at_ms]
    kept = {row.snapshot_id: row for row in history.snapshots}
    if before and before[-1].snapshot_id in kept:
        return before[-1].snapshot_id
    raise ConfigurationError(
        f"{table} has no snapshot of {iso_utc(at_ms)}: {_why(history)}",
        hint=f"'dp table {table} --history' lists what can be read",
    )


def _why(history: History) -> str:
    """What a table's history says about the time before its first kept snapshot."""
    kept = {row.snapshot_id: row for row in history.snapshots}
    first = next((kept[h.snapshot_id] for h in history.heads if h.snapshot_id in kept), None)
    if first is None:
        return "it has none at all"
    when = iso_utc(first.committed_ms)
    if first.parent_id is not None and first.parent_id not in kept:
        return f"what was before {when} is expired"
    return f"its first commit was at {when}"


def _candidates(histories: Mapping[TableId, History]) -> str:
    newest = [
        f"{table}: {', '.join(str(row.snapshot_id) for row in history.snapshots[:3]) or 'none'}"
        for table, history in histories.items()
    ]
    return f"newest snapshots are {'; '.join(newest) or 'none, the query names no table'}"
