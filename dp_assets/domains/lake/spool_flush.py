"""From the spool into the table, every row exactly once, whatever was killed in between.

A commit carries the names of its batches in the snapshot summary (``dp.batches``); only then are
they discarded. Who was killed between the two leaves batches behind whose names the table knows:
the next flush discards them without writing them again. The table's lease keeps a second flush
out, so a batch is never seen by two at once.

A batch is recognised as long as the snapshot that has it is kept: by days, while flushes are
minutes apart. Expire nothing younger than the longest time a machine with a spool may be off.
"""

# pyarrow has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from dp_assets.core.errors import LakeError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.spool_rows import rows_to_arrow
from dp_assets.ports.spool import Batch, Spool
from dp_assets.ports.tables import TableSpec, TableWriter


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one flush did with the batches it found, each named in exactly one of the tuples.

    Attributes:
        snapshot_id: the commit; None when there was nothing to write.
        rows: rows in that commit.
        written: batches in that commit.
        found_landed: batches of an earlier commit, only discarded now.
        set_aside: batches whose rows do not fit the table, moved aside for a person.
    """

    table: TableId
    snapshot_id: int | None = None
    rows: int = 0
    written: tuple[str, ...] = ()
    found_landed: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()


def due(last_flush_ms: int | None, *, now_ms: int, every_ms: int) -> bool:
    """Whether the next flush may commit; a last one in the future is a clock that was set back."""
    return last_flush_ms is None or not last_flush_ms <= now_ms < last_flush_ms + every_ms


def flush(spool: Spool, writer: TableWriter, spec: TableSpec) -> Flushed:
    """Write all batches of the table in one commit and discard them.

    Raises what ``writer`` and ``spool`` raise; the batches stay and the next flush has them.
    """
    if not spool.pending(spec.table):
        return Flushed(spec.table)
    writer.ensure(spec)
    with writer.hold(spec.table):
        pending = spool.pending(spec.table)
        landed_names = writer.landed_batches(spec.table)
        landed = tuple(b for b in pending if b.name in landed_names)
        fitting, misfits = _fit(spool, spec, tuple(b for b in pending if b not in landed))
        written = tuple(batch for batch, _ in fitting)
        names = tuple(batch.name for batch in written)
        rows = pa.concat_tables([table for _, table in fitting]) if fitting else None
        snapshot_id = writer.append(spec, rows, batches=names) if rows else None
        spool.discard(landed + written)
    return Flushed(
        spec.table,
        snapshot_id=snapshot_id,
        rows=rows.num_rows if rows else 0,
        written=names,
        found_landed=tuple(b.name for b in landed),
        set_aside=tuple(b.name for b in misfits),
    )


def waiting_rows(spool: Spool, spec: TableSpec) -> dict[str, pa.Table]:
    """Batch -> its rows, for reading: what does not fit is left to the next flush to set aside."""
    found: dict[str, pa.Table] = {}
    for batch in spool.pending(spec.table):
        # A batch that is gone by now has landed; who reads the table afterwards sees it there.
        with suppress(PermanentError, FileNotFoundError):
            found[batch.name] = rows_to_arrow(spool.read([batch]), spec.schema)
    return found


def quietly(doing: str, act: Callable[[], object]) -> str | None:
    """Do something with the spool that must not fail the operation it reports on.

    Returns:
        None, or one line for the log: what was being done, and why it was not.
    """
    try:
        act()
    except LakeError as error:
        return f"{doing}: {error.what} ({error.hint})"
    except OSError as error:
        return f"{doing}: {error}"
    return None


def _fit(
    spool: Spool, spec: TableSpec, batches: tuple[Batch, ...]
) -> tuple[list[tuple[Batch, pa.Table]], list[Batch]]:
    """Batches as Arrow, and those that do not fit, which are set aside so as not to block."""
    fitting: list[tuple[Batch, pa.Table]] = []
    misfits: list[Batch] = []
    for batch in batches:
        try:
            fitting.append((batch, rows_to_arrow(spool.read([batch]), spec.schema)))
        except PermanentError as error:
            spool.set_aside(batch, reason=str(error))
            misfits.append(batch)
    return fitting, misfits
