"""Whether manifests that were written anew list what the old ones did; and the snapshot's summary.

Source: Iceberg table specification, "Optional Snapshot Summary Fields"; iceberg's
BaseRewriteManifests for the names of the counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from dp_assets.domains.maintenance.heads import Head
from dp_assets.domains.maintenance.manifest_plan import ManifestPlan
from dp_assets.domains.maintenance.replace_summary import OPERATION, replace_summary
from dp_assets.ports.closure import LiveEntry, TableClosure
from dp_assets.ports.maintenance import Operation


def entries_difference(
    before: Iterable[LiveEntry], after: Iterable[LiveEntry], *, has_numbers: bool
) -> str:
    """What is wrong with entries that were written anew, inheritance included; "" when nothing.

    Partitions are left out: writers call their fields differently. Without ``has_numbers``, so
    are sequence numbers: the table is of version 1, where they mean nothing.
    """
    was = Counter(_plain(entry, has_numbers=has_numbers) for entry in before)
    now = Counter(_plain(entry, has_numbers=has_numbers) for entry in after)
    if was == now:
        return ""
    path = min(entry.path for entry in ((was - now) + (now - was)))
    return f"{path} is listed with other numbers than before"


def live_entries_of(closure: TableClosure, manifests: Iterable[str]) -> Iterator[LiveEntry]:
    """The live entries of some of the head's manifests, everything inherited filled in."""
    wanted = set(manifests)
    head = next((s for s in closure.snapshots if s.snapshot_id == closure.head), None)
    for use in head.manifests if head else ():
        if use.path in wanted:
            yield from closure.entries(use)


def manifests_summary(
    head: Head, plan: ManifestPlan, *, created: int, run_id: str, commit: str
) -> dict[str, str]:
    """Of the snapshot on top of ``head`` with ``created`` manifests in the place of others."""
    replaced = sum(len(pile.manifests) for pile in plan.piles) + len(plan.empty)
    counts = {
        "manifests-created": created,
        "manifests-kept": plan.manifests - replaced,
        "manifests-replaced": replaced,
        "entries-processed": sum(pile.entries for pile in plan.piles),
    }
    return {
        **replace_summary(head, (), (), run_id=run_id, commit=commit),
        OPERATION: str(Operation.MANIFESTS),
        **{name: str(count) for name, count in counts.items()},
    }


def _plain(entry: LiveEntry, *, has_numbers: bool) -> LiveEntry:
    plain = replace(entry, added=False, partition="")
    return plain if has_numbers else replace(plain, sequence_number=0, file_sequence_number=0)
