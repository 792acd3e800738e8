"""One operation on one table as a scheduled run does it: planned, carried out, kept, flushed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.adapters.recovery.iceberg_metadata import parse_metadata
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.ports.maintenance import Outcome
from dp_assets.usecases.maintenance.last_done import last_done
from dp_assets.usecases.maintenance.maintaining import maintain, plan
from dp_assets.usecases.maintenance.own_work import own_snapshots

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Attempt, Operation, TableHealth
    from dp_assets.usecases.maintenance.maintaining import Planned

BEHIND = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Ran:
    """An operation that ended as it should, and the table around it.

    Attributes:
        own: the snapshots that it made.
        last: what the operation last did to the table, in this run or an earlier one.
    """

    attempt: Attempt
    before: TableHealth
    after: TableHealth
    own: tuple[int, ...]
    last: str


def plan_operation(lake: Lakehouse, name: str, operation: Operation) -> Planned:
    """What is to be done to the table called ``name``.

    Raises:
        ConfigurationError: there is no such table, or its rules contradict each other.
        PermanentError, TransientError: it is foreign, or cannot be read.
    """
    table = find_table(name, list_pointers(lake.catalog))
    return plan(lake, table, operation, now_ms=now_ms())


def run_operation(
    lake: Lakehouse, planned: Planned, *, run_id: str, warn: Callable[[str], None]
) -> Ran:
    """Carry out a plan; its row reaches `ops.journal`, also when it failed.

    Args:
        lake: with an identity.
        planned: by :func:`plan_operation`.
        run_id: noted in the journal and in the snapshots.
        warn: told of rows that could not be flushed; the next flush has them.

    Raises:
        TransientError: somebody else maintains the table; nothing was begun.
        PermanentError: it failed, or nothing of it could be committed; what is due backs off, so
            that nobody should try again at once.
        OutcomeUnknownError: nobody knows whether it was committed.
    """
    seen: list[tuple[TableHealth, TableHealth]] = []
    try:
        attempt = maintain(
            lake, planned, run_id=run_id, seen=lambda before, after: seen.append((before, after))
        )
    except TransientError as error:
        if not seen:
            raise
        raise PermanentError(error.what, hint=error.hint) from error
    finally:
        if problem := quietly("flush the journal", lake.flush):
            warn(problem)
    if attempt.outcome in BEHIND:
        raise PermanentError(
            f"{attempt.operation} of {attempt.table}: {attempt.outcome}, {attempt.problem}",
            hint=f"'dp why {attempt.table} {attempt.operation}' says when it is tried again",
        )
    [(before, after)] = seen
    text = lake.files.read(after.pointer)
    metadata = parse_metadata(text, location=after.pointer)
    own = own_snapshots(metadata, attempt.operation, run_id)
    return Ran(attempt, before, after, own, last_done(lake, metadata, attempt.operation))
