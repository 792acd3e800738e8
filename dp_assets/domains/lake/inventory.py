"""The inventory: what changed in the catalog since the last sweep, and when not to believe it."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass

from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.history import update_history
from dp_assets.ports.inventory import Inventory, TableFacts

OPS_NAMESPACE = "ops"
# Dagster refuses these in partition keys: its range syntax, and what a page cannot show.
NO_PARTITION_KEY = re.compile(r"\.\.\.|[\a\b\f\n\r\t\v\0]")


@dataclass(frozen=True, slots=True)
class InventoryPlan:
    """Every table known or listed, in exactly one of the tuples, in order of name.

    ``unread`` did not move, but their metadata could not be read last time: a file may be back
    without the pointer moving.
    """

    added: tuple[TableId, ...]
    gone: tuple[TableId, ...]
    moved: tuple[TableId, ...]
    unchanged: tuple[TableId, ...]
    unread: tuple[TableId, ...] = ()

    @property
    def to_read(self) -> tuple[TableId, ...]:
        """The tables whose metadata a sweep opens."""
        return (*self.added, *self.moved, *self.unread)


def plan_inventory(
    previous: Inventory | None,
    now: Mapping[TableId, str],
    *,
    max_gone_share: float,
    max_gone_tables: int,
    allow_gone: int = 0,
) -> InventoryPlan:
    """Compare the catalog's listing ``now`` (table to pointer) with the last sweep.

    Args:
        previous: the last sweep; None when there was none.
        now: every table in the catalog.
        max_gone_share: of the known tables, 0..1; see :func:`refuse_mass_loss`.
        max_gone_tables: see :func:`refuse_mass_loss`.
        allow_gone: so many tables may be gone at once because a person said so.

    Raises:
        PermanentError: too many tables are gone at once to be believed.
    """
    tables: Mapping[TableId, TableFacts] = previous.tables if previous else {}
    refuse_mass_loss(
        set(map(str, tables)),
        set(map(str, now)),
        max_share=max_gone_share,
        max_tables=max_gone_tables,
        allow_gone=allow_gone,
    )
    both = sorted(tables.keys() & now.keys())
    moved = tuple(t for t in both if tables[t].metadata_location != now[t])
    still = [t for t in both if tables[t].metadata_location == now[t]]
    return InventoryPlan(
        added=tuple(sorted(now.keys() - tables.keys())),
        gone=tuple(sorted(tables.keys() - now.keys())),
        moved=moved,
        unchanged=tuple(t for t in still if not tables[t].problem),
        unread=tuple(t for t in still if tables[t].problem),
    )


def refuse_mass_loss(
    known: Set[str],
    now: Set[str],
    *,
    max_share: float,
    max_tables: int,
    allow_gone: int = 0,
) -> None:
    """Raise PermanentError when too many of the names ``known`` are missing from ``now``.

    Too many: all of them while the listing is empty, or more than ``max_share`` of them and more
    than ``max_tables``. A wrong catalog, a lost database and a missing permission look like this.
    """
    gone = sorted(known - now)
    many = len(gone) > max_tables and len(gone) > max_share * len(known)
    if len(gone) <= allow_gone or not (many or not now):
        return
    listing = "is empty" if not now else "lacks " + ", ".join(gone[:5])
    more = f" and {len(gone) - 5} more" if now and len(gone) > 5 else ""
    raise PermanentError(
        f"{len(gone)} of {len(known)} tables are gone at once: "
        f"the catalog's listing {listing}{more}",
        hint="nothing was changed; check catalog and permissions with 'dp doctor'. If the tables "
        f"were dropped on purpose, materialize lake/inventory with allow_gone: {len(gone)}",
    )


def apply_inventory(
    plan: InventoryPlan,
    previous: Inventory | None,
    *,
    read: Callable[[TableId], TableFacts],
    now_ms: int,
) -> Inventory:
    """The inventory after ``plan``: ``read`` is called once per table in ``plan.to_read``."""
    kept = {t: previous.tables[t] for t in plan.unchanged} if previous else {}
    tables = {**kept, **{table: read(table) for table in plan.to_read}}
    return Inventory(
        tables={table: tables[table] for table in sorted(tables)},
        history=update_history(
            previous.history if previous else (),
            {table: facts.uuid for table, facts in tables.items()},
            now_ms=now_ms,
        ),
        swept_at_ms=now_ms,
    )


def new_heads(previous: Inventory | None, now: Inventory) -> tuple[TableFacts, ...]:
    """The tables whose current snapshot is another than at the last sweep, in order of name."""
    tables: Mapping[TableId, TableFacts] = previous.tables if previous else {}
    return tuple(
        facts
        for table, facts in sorted(now.tables.items())
        if facts.head_snapshot_id is not None
        and (table not in tables or tables[table].head_snapshot_id != facts.head_snapshot_id)
    )


def pointers_digest(pointers: Mapping[TableId, str]) -> str:
    """A fingerprint that changes when a table appears, goes or commits.

    Of ``ops`` tables only the names count: every run of ours commits to them, and an inventory
    that answered its own commits would never let the lake be idle.
    """
    lines = (f"{t}\t{'' if is_ops(t) else pointer}" for t, pointer in sorted(pointers.items()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def is_ops(table: TableId) -> bool:
    """Whether the table holds our own facts (journal, results, ...)."""
    return table.namespace.partition(".")[0] == OPS_NAMESPACE


def partition_names(tables: Iterable[TableId]) -> frozenset[str]:
    """The tables' partition keys. A name that no partition key may hold is left out."""
    return frozenset(name for name in map(str, tables) if not NO_PARTITION_KEY.search(name))
