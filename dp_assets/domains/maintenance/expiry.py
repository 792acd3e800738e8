"""Which snapshots, branches and tags of a table go, and its metadata without them. Pure.

What stays, each rule by itself enough:

- the current snapshot, and the one that a kept branch or tag points at;
- of a kept branch the newest N of its ancestry, and all that are younger than the age. Both
  follow ancestry, not clocks: a snapshot is as young as the youngest that it stands on, so that
  a writer whose clock was behind cannot make a later commit go before an earlier one;
- a snapshot that no kept branch or tag stands on (a rollback gave it up), while it is younger
  than the age or was still current within it: a rollback can be taken back for as long.

A branch or tag goes only by its own ``max-ref-age-ms`` or the table's; ``main`` never does. What a
ref says of its retention comes before the table's properties, those before the policy's.

Holds of recovery points keep nothing here: no file is deleted while one lives (see ``trash``).

Source: Iceberg table specification, "Snapshot Retention Policy", "Snapshot References".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.domains.maintenance.retention import MAIN, KeptBy, Retention

STATISTICS = ("statistics", "partition-statistics")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExpiryPlan:
    """The decision.

    Attributes:
        snapshots: that go, in the order of the metadata.
        refs: branches and tags that go, each with its snapshot.
        kept: why each other snapshot stays, in words.
    """

    snapshots: tuple[int, ...]
    refs: tuple[tuple[str, int], ...]
    kept: Mapping[int, str]

    @property
    def is_empty(self) -> bool:
        """Nothing goes."""
        return not (self.snapshots or self.refs)


def plan_expiry(
    metadata: Json, retention: Retention, *, now_ms: int, only: ExpiryPlan | None = None
) -> ExpiryPlan:
    """What goes of the table that ``metadata`` describes, at ``now_ms``.

    With ``only``, nothing goes that did not in that earlier plan: what was made or moved since
    then stays, and a run does no more than it has shown.

    Raises PermanentError when a retention of a ref or of the table is not a number.
    """
    table = KeptBy.of(metadata, retention)
    refs = tuple(
        (name, ref["snapshot-id"])
        for name, ref in table.refs.items()
        if name != MAIN and table.is_past(ref, now_ms)
    )
    if only is not None:
        refs = tuple(ref for ref in refs if ref in only.refs)
    gone = {name for name, _ in refs}
    kept = table.kept({n: r for n, r in table.refs.items() if n not in gone}, now_ms)
    allowed = None if only is None else set(only.snapshots)
    snapshots = tuple(
        one for one in table.by_id if one not in kept and (allowed is None or one in allowed)
    )
    later = {one: "not in the plan" for one in table.by_id if one not in {*kept, *snapshots}}
    return ExpiryPlan(snapshots, refs, {**kept, **later})


def without(metadata: Json, plan: ExpiryPlan) -> dict[str, Any]:
    """``metadata`` after ``plan``: snapshots, their statistics and the refs are gone.

    The snapshot log loses everything before the last entry of a snapshot that goes: with a gap in
    it, time travel would find the wrong snapshot. Unknown fields stay as they are.

    Source: Iceberg table specification, "Table Metadata Fields", ``snapshot-log``.
    """
    gone, refs = set(plan.snapshots), {name for name, _ in plan.refs}
    changed: dict[str, Any] = {
        "snapshots": [s for s in metadata.get("snapshots") or () if s["snapshot-id"] not in gone],
    }
    if "snapshot-log" in metadata:
        changed["snapshot-log"] = _log_after(metadata["snapshot-log"] or (), gone)
    if metadata.get("refs"):
        changed["refs"] = {n: ref for n, ref in metadata["refs"].items() if n not in refs}
    for name in STATISTICS:
        if metadata.get(name):
            changed[name] = [s for s in metadata[name] if s["snapshot-id"] not in gone]
    return {**metadata, **changed}


def has_none_of(metadata: Json, snapshots: tuple[int, ...]) -> bool:
    """Whether the table no longer has any of ``snapshots``."""
    found = {snapshot["snapshot-id"] for snapshot in metadata.get("snapshots") or ()}
    return found.isdisjoint(snapshots)


def _log_after(log: Any, gone: set[int]) -> list[Any]:
    kept: list[Any] = []
    for entry in log:
        if entry["snapshot-id"] in gone:
            kept.clear()
        else:
            kept.append(entry)
    return kept
