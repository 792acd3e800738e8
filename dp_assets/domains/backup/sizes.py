"""Whether a recovery point is as large as it should be: a backup that archives nothing is none."""

from collections.abc import Iterator
from dataclasses import dataclass

from dp_assets.core.units import format_bytes
from dp_assets.domains.backup.selection import Selection
from dp_assets.ports.recovery import PointManifest

# Both are guesses on the safe side: an expiry may halve a table, hardly the whole lakehouse; and
# who drops half of all tables at once wants to be asked.
MIN_BYTES_SHARE = 0.5
MAX_DROPPED_SHARE = 0.5
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """A point against the one before; sizes in bytes, of tables that both hold."""

    dropped: tuple[str, ...]
    excluded: tuple[str, ...]
    bytes_before: int
    bytes_now: int


def compare_points(previous: PointManifest, current: PointManifest) -> Shrinkage:
    """What the newer point no longer holds.

    A table that ``current`` was asked for and does not list was not in the catalog: dropped.
    """
    selection = Selection(current.include, current.exclude)
    names = {table.table for table in current.tables}
    gone = [table.table for table in previous.tables if table.table not in names]
    before = {(t.table, t.uuid): t.bytes for t in previous.tables if not t.problem}
    now = {(t.table, t.uuid): t.bytes for t in current.tables if not t.problem}
    both = before.keys() & now.keys()
    return Shrinkage(
        dropped=tuple(sorted(name for name in gone if selection.has(name))),
        excluded=tuple(sorted(name for name in gone if not selection.has(name))),
        bytes_before=sum(before[key] for key in both),
        bytes_now=sum(now[key] for key in both),
    )


def size_problems(previous: PointManifest | None, current: PointManifest) -> tuple[str, ...]:
    """Why the size of ``current`` is not plausible, in words; empty when it is.

    Args:
        previous: the point before; None for the first.
        current: the point in question.
    """
    if not current.tables:
        return ("the point holds no table",)
    if not any(table.bytes for table in current.tables):
        return ("the point holds no bytes",)
    if previous is None:
        return ()
    return tuple(_problems(previous, current, compare_points(previous, current)))


def _problems(previous: PointManifest, current: PointManifest, found: Shrinkage) -> Iterator[str]:
    if found.excluded:
        yield f"no longer selected: {_names(found.excluded)}"
    if len(found.dropped) > MAX_DROPPED_SHARE * len(previous.tables):
        yield (
            f"{len(found.dropped)} of {len(previous.tables)} tables were dropped since point "
            f"{previous.number}: {_names(found.dropped)}"
        )
    shrunk = found.bytes_now < MIN_BYTES_SHARE * found.bytes_before
    if shrunk and previous.history == current.history:
        yield (
            f"the same tables hold {format_bytes(found.bytes_now)}, in point {previous.number} "
            f"{format_bytes(found.bytes_before)}"
        )


def _names(names: tuple[str, ...]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
