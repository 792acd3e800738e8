"""Manifests, planned: which of the current snapshot are merged, and by what their files are put.

Manifests of one partition spec, of data or of deletes, are a pile. Of a pile those below three
quarters of the target are merged when that leaves four fewer. The whole pile is written anew when
the files of a partition are in many more manifests than they need be: a query of one partition
opens each of those. The files of a pile are in the order of their partitions, and a manifest is
full at the target, so that afterwards a pile has one small manifest at the most and nothing is
left to do.

The target is Iceberg's, or a hundredth of all manifests' bytes: about 100 stay at any size.

Source: Iceberg's table property ``commit.manifest.target-size-bytes``; the share of it that is
small is the one of data files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.manifest_piles import ManifestRule, Pile, WholePile, by_pile
from dp_assets.ports.closure import KeptSnapshot, TableClosure, one_spelling
from dp_assets.ports.maintenance import MaintenanceRefusedError

TARGET = "commit.manifest.target-size-bytes"
TARGET_BYTES = 8 * MIB
VERSIONS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """What to do to the manifests of a table, seen at one snapshot.

    Attributes:
        manifests: of the snapshot.
        limit_bytes: a new manifest with as many is full.
        empty: manifests with no live file, which go.
    """

    table: str
    uuid: str
    pointer: str
    manifests: int
    limit_bytes: int
    rule: ManifestRule
    piles: tuple[Pile, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.piles and len(self.empty) < max(1, self.rule.min_fall)

    @property
    def bytes(self) -> int:
        """Of the manifests that are read and written anew."""
        return sum(pile.bytes for pile in self.piles)

    @property
    def expected(self) -> int:
        """Manifests afterwards, about."""
        fewer = sum(len(pile.manifests) - pile.outputs for pile in self.piles)
        return self.manifests - fewer - len(self.empty)


def plan_manifests(table: str, closure: TableClosure, rule: ManifestRule) -> ManifestPlan:
    """What to write anew of the current snapshot's manifests.

    Args:
        table: its name, for the plan.
        closure: read at one pointer; the current snapshot is enough.
        rule: when something is done.

    Raises:
        MaintenanceRefusedError: they cannot be written anew exactly.
    """
    head = _head(closure)
    if head is None:
        return ManifestPlan(table, closure.uuid, closure.pointer, 0, TARGET_BYTES, rule)
    if refused := "; ".join(_refusals(closure, head)):
        raise MaintenanceRefusedError(
            f"merge manifests of {table}: {refused}", hint=f"'dp table {table}' says more"
        )
    total = sum(use.size or 0 for use in head.manifests)
    limit = max(_target(closure), -(-total // rule.most))
    found = sorted(by_pile(closure, head).items())
    piles = (WholePile(key, listed, limit=limit, rule=rule) for key, listed in found)
    return ManifestPlan(
        table=table,
        uuid=closure.uuid,
        pointer=closure.pointer,
        manifests=len(head.manifests),
        limit_bytes=limit,
        rule=rule,
        piles=tuple(chosen for pile in piles if (chosen := pile.chosen())),
        empty=_empty(closure, head),
    )


def on_top(plan: ManifestPlan, closure: TableClosure) -> ManifestPlan:
    """The same plan for a table to which others have only added manifests since."""
    head = _head(closure)
    listed = {use.path for use in head.manifests} if head else set[str]()
    empty = tuple(path for path in plan.empty if path in listed)
    return replace(plan, pointer=closure.pointer, manifests=len(listed), empty=empty)


def _head(closure: TableClosure) -> KeptSnapshot | None:
    return next((s for s in closure.snapshots if s.snapshot_id == closure.head), None)


def _empty(closure: TableClosure, head: KeptSnapshot) -> tuple[str, ...]:
    paths = (use.path for use in head.manifests)
    return tuple(path for path in paths if not closure.manifests[one_spelling(path)].entries)


def _target(closure: TableClosure) -> int:
    properties: Mapping[str, str] = closure.metadata.get("properties") or {}
    said = properties.get(TARGET, TARGET_BYTES)
    try:
        return max(1, int(said))
    except ValueError as error:
        raise MaintenanceRefusedError(
            f"table property {TARGET} is {said!r}", hint="set it to a number of bytes"
        ) from error


def _refusals(closure: TableClosure, head: KeptSnapshot) -> Iterator[str]:
    metadata = closure.metadata
    if closure.format_version not in VERSIONS:
        yield f"format version {closure.format_version} is not known"
    if not head.manifest_list:
        yield "its head is a version 1 snapshot without a manifest list"
    is_encrypted = metadata.get("encryption-keys") or "encryption.key-id" in (
        metadata.get("properties") or {}
    )
    if is_encrypted or any(use.encrypted for use in head.manifests):
        yield "it is encrypted"
