"""Manifests of one spec and content, and which of them are worth writing anew.

How they are put: in the order of their partitions, so that a query of some partitions opens few.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dp_assets.core.units import format_bytes
from dp_assets.domains.maintenance.sizing import SMALL_SHARE, is_small
from dp_assets.ports.closure import KeptSnapshot, TableClosure, one_spelling
from dp_assets.ports.recovery import FileKind

Order = tuple[tuple[int, float, str], ...]
# Spec id, whether of deletes, shape.
PileKey = tuple[int, bool, str]


@dataclass(frozen=True, slots=True)
class ManifestRule:
    """When manifests are worth a commit: a manifest list, a metadata file and a snapshot.

    Attributes:
        min_fall: fewer manifests that are worth it.
        most: about as many stay.
        scattered: manifests that a query of one partition opens, over those that it has to.
        scattered_merged: the same after a merge of small ones: less, lest the next run finds
            them scattered.
    """

    min_fall: int = 4
    most: int = 100
    scattered: float = 2.0
    scattered_merged: float = 1.5


@dataclass(frozen=True, slots=True)
class Pile:
    """Manifests of one spec and content that are written anew, together.

    Attributes:
        manifests: their paths, as the table spells them.
        entries: live ones in them.
        outputs: manifests to expect.
    """

    spec_id: int
    is_deletes: bool
    manifests: tuple[str, ...]
    bytes: int
    entries: int
    outputs: int
    reason: str


class Listed(NamedTuple):
    """A manifest of the snapshot, and the partitions of its files."""

    path: str
    bytes: int
    entries: int
    partitions: frozenset[Order]


class WholePile:
    """One pile of the snapshot, whole; ``chosen`` is what of it is written anew."""

    def __init__(
        self,
        key: PileKey,
        found: Sequence[Listed],
        *,
        limit: int,
        rule: ManifestRule,
    ) -> None:
        self._spec_id, self._is_deletes, _ = key
        self._found, self._limit, self._rule = found, limit, rule
        ordered = sorted({place for one in found for place in one.partitions})
        self._places = {place: n for n, place in enumerate(ordered)}

    def chosen(self) -> Pile | None:
        """None when it stays as it is."""
        small = [one for one in self._found if is_small(one.bytes, self._limit)]
        is_merge = len(small) - self._outputs(small) >= self._rule.min_fall
        if opened := self._scattered(small if is_merge else []):
            text = f"the files of a partition are in {opened:.1f} manifests on average"
            return self._of(self._found, text)
        if not is_merge:
            return None
        size = format_bytes(int(SMALL_SHARE * self._limit))
        return self._of(small, f"{len(small)} of {len(self._found)} are below {size}")

    def _of(self, listed: Sequence[Listed], reason: str) -> Pile:
        return Pile(
            spec_id=self._spec_id,
            is_deletes=self._is_deletes,
            manifests=tuple(one.path for one in listed),
            bytes=sum(one.bytes for one in listed),
            entries=sum(one.entries for one in listed),
            outputs=self._outputs(listed),
            reason=reason,
        )

    def _outputs(self, listed: Iterable[Listed]) -> int:
        return -(-sum(one.bytes for one in listed) // self._limit)

    def _scattered(self, merged: Sequence[Listed]) -> float:
        """Manifests that a query of one partition opens when ``merged`` are; 0 when few enough.

        A manifest is opened for every partition between its first and its last one.
        """
        count, outputs = len(self._places), self._outputs(self._found)
        if count < 2 or outputs < 2:
            return 0
        gone = {one.path for one in merged}
        opened = sum(self._reach([one]) for one in self._found if one.path not in gone)
        if merged:
            opened += self._reach(merged) + self._outputs(merged) - 1
        worst = self._rule.scattered_merged if merged else self._rule.scattered
        return opened / count if opened >= worst * (count + outputs - 1) else 0

    def _reach(self, listed: Iterable[Listed]) -> int:
        at = [self._places[place] for one in listed for place in one.partitions]
        return max(at) - min(at) + 1


def by_pile(closure: TableClosure, head: KeptSnapshot) -> dict[PileKey, list[Listed]]:
    """The manifests of a snapshot that list something live."""
    piles: defaultdict[PileKey, list[Listed]] = defaultdict(list)
    orders: dict[str, Order] = {}
    for use in head.manifests:
        manifest = closure.manifests[one_spelling(use.path)]
        if not manifest.entries:
            continue
        texts = {entry.partition for entry in manifest.entries}
        orders |= {text: partition_order(text) for text in texts if text not in orders}
        is_deletes = any(entry.kind is not FileKind.DATA for entry in manifest.entries)
        places = frozenset(orders[text] for text in texts)
        one = Listed(use.path, use.size or 0, len(manifest.entries), places)
        piles[closure.spec_id(use), is_deletes, manifest.shape].append(one)
    return piles


def partition_order(partition: str) -> Order:
    """A sort key of a partition as JSON: as its values are ordered, what is null first.

    Decimals are in the order of their bytes, so negative ones come last: next to each other all
    the same.
    """
    values: Mapping[str, Any] = json.loads(partition) if partition else {}
    return tuple(_rank(value) for value in values.values())


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0, "")
    return (2, 0, value) if isinstance(value, str) else (1, value, "")
